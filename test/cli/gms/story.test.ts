/** KMS, GMS and members on the command line: a group from its making to its end. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { load } from "../../../bindings/core/core.ts";
import { writeKmsCertificate } from "../../../documents/kms-xml/index.ts";
import { makeKms } from "../../support/world.ts";
import { cli } from "../kms/kms-process.ts";
import { runCli, temporaryFolder } from "../run-cli.ts";
import { runClient, STORY_MS, serve } from "./gms-process.ts";

const GROUP = "sip:fire@example.org";
const ALICE = "sip:alice@example.org";
const BOB = "sip:bob@example.org";
const CAROL = "sip:carol@example.org";

interface Changed {
  revision: number;
  rekeys: { rekey: number; gmkId: string; total: number; cause: string }[];
}

interface Watched {
  status: string;
  gmkId: string;
  total: number;
  counts: Record<string, number>;
  missing: { member: string; state: string }[];
}

const isKey = (change: string, gmkId: string) => (event: Record<string, unknown>) =>
  event.event === "key" && event.change === change && event.gmkId === gmkId;

describe("serve, group and client run", { timeout: STORY_MS }, () => {
  it("serve a group over SIP and HTTPS: made, watched, changed, revoked, deleted", async () => {
    const data = join(await temporaryFolder(), "data");
    const servers = await serve(data);
    const group = (command: string, ...args: string[]) =>
      cli("group", command, ...args, "--data-dir", data).then((run) => run.json<Changed & Watched>());
    expect(Object.keys(servers.sip).sort()).toEqual(["tcp", "tls", "udp", "ws", "wss"]);

    const certificate = join(data, "away.xml");
    const core = await load();
    await writeFile(certificate, writeKmsCertificate(makeKms(core, "kms.away.example").certificate));
    core.destroy();
    const folder = ["--data-dir", data];
    await cli("kms", "certificate", "add", certificate, "--domain", "away.example", ...folder);
    const known = ["kms.away.example", servers.kmsUri];
    const refreshed = (await cli("kms", "refresh", ...folder)).json();
    expect(refreshed).toMatchObject({ status: "ok", GMS: known, MCX: known });

    const made = await group("create", GROUP, ALICE, BOB, "--name", "Fire", "--rekey-every", "7d");
    expect(made).toMatchObject({ displayName: "Fire", rekeyEveryMs: 604_800_000, rekeys: [{ total: 2 }] });
    const first = made.rekeys[0]!.gmkId;
    const alice = runClient(data, ALICE, "--sip", "udp");
    const bob = runClient(data, BOB, "--way", "http", "--poll", "1s");
    await Promise.all([alice.event(isKey("added", first)), bob.event(isKey("added", first))]);

    // The second one is watched until both have said that they have it.
    const watched = await group("rekey", GROUP, "--watch", "--text", "winter");
    expect(watched).toMatchObject({ status: "ok", total: 2, counts: { acknowledged: 2 }, missing: [] });
    const got = await alice.event(isKey("added", watched.gmkId));
    expect(got).toMatchObject({ state: "active", text: "winter", groups: [GROUP] });

    // Carol is not there: who watches learns her name, and the exit status says so.
    await group("add", GROUP, CAROL, "--data-dir", data);
    const late = await runCli([
      ...["group", "rekey", GROUP, "--watch", "--timeout", "2s", "--data-dir", data, "--json"],
    ]);
    expect(late.status).toBe(1);
    expect(late.json<Watched>()).toMatchObject({
      status: "incomplete",
      missing: [{ member: CAROL, state: "sealed" }],
    });

    const removed = await group("remove", GROUP, CAROL);
    expect(removed.rekeys).toMatchObject([{ total: 2 }]);
    const last = removed.rekeys[0]!.gmkId;
    await Promise.all([alice.event(isKey("added", last)), bob.event(isKey("added", last))]);
    expect(await group("revoke", last, "--watch")).toMatchObject({ status: "ok", kind: "revoke" });
    await Promise.all([alice.event(isKey("revoked", last)), bob.event(isKey("revoked", last))]);

    const { gmks } = (await cli("group", "keys", GROUP, "--data-dir", data)).json<{
      gmks: { gmkId: string; state: string }[];
    }>();
    expect(gmks.find(({ gmkId }) => gmkId === last)).toMatchObject({ state: "revoked" });
    expect(await group("show", GROUP)).toMatchObject({ members: [{ uri: ALICE }, { uri: BOB }] });
    expect(await group("status", GROUP)).toMatchObject({ rekeys: expect.any(Array) });
    const text = await runCli(["group", "status", "--rekey", "1", "--data-dir", data]);
    expect(text.stdout).toMatch(/^sip:alice@example\.org +acknowledged +\d+/m);

    // Nobody who knows an older group changes it.
    const { revision } = await group("set", GROUP, "--rekey-every", "never");
    const stale = ["group", "set", GROUP, "--name", "Other", "--if-revision", String(revision - 1)];
    const refused = await runCli([...stale, "--data-dir", data, "--json"]);
    expect(refused.json()).toMatchObject({ code: "GROUP_CHANGED" });
    await group("delete", GROUP);

    // Also of a group that is gone, and of those who were refused.
    const audit = (await cli("group", "audit", GROUP, "--actor", "operator", "--data-dir", data)).json<{
      entries: { id: number; actor: string; action: string; at: string }[];
    }>().entries;
    expect(audit.map(({ action }) => action)).toEqual(
      expect.arrayContaining(["group-create", "member-remove", "group-delete"]),
    );
    expect(audit.filter(({ actor }) => actor !== "operator")).toEqual([]);
    const after = ["--after", String(audit.at(-2)!.id), "--limit", "1"];
    expect(await group("audit", GROUP, "--actor", "operator", ...after)).toEqual({
      status: "ok",
      entries: audit.slice(-1),
    });
    const lines = await runCli(["group", "audit", GROUP, "--data-dir", data]);
    expect(lines.stdout).toMatch(/^ *\d+ +\S+Z +operator +group-delete +sip:fire@example\.org +ok$/m);
    const nothing = await runCli([
      "group",
      "audit",
      "sip:other@example.org",
      "--refused",
      "--data-dir",
      data,
    ]);
    expect(nothing).toMatchObject({ status: 0, stdout: "no entries\n" });
    expect((await runCli(["group", "audit", "--limit", "0", "--data-dir", data])).status).toBe(2);
    expect(await group("list")).toMatchObject({ groups: [] });

    expect(await alice.end("SIGINT")).toBe(0);
    expect(await bob.end("SIGINT")).toBe(0);
    expect(await servers.end("SIGTERM")).toBe(0);
    const gone = await runCli(["group", "list", "--data-dir", data, "--json"]);
    expect(gone.status).toBe(69);
    expect(gone.json()).toMatchObject({ code: "GMS_NOT_RUNNING", next: expect.stringContaining("serve") });
  });

  it("run a client on each transport, which gets the key and ends; sealed storage keeps it", async () => {
    const folder = await temporaryFolder();
    const data = join(folder, "data");
    await serve(data);
    const made = (await cli("group", "create", GROUP, ALICE, "--data-dir", data)).json<Changed>();
    const { gmkId } = made.rekeys[0]!;
    const once = (...args: string[]) =>
      runCli([
        ...["client", "run", "--local", data, "--user", ALICE, "--once", "--timeout", "20s"],
        ...args,
        "--json",
      ]);
    for (const way of ["udp", "tcp", "tls", "ws", "wss"]) {
      const run = await once("--sip", way);
      expect(run.status, `${way}: ${run.stdout}${run.stderr}`).toBe(0);
      expect(run.stdout).toContain(gmkId);
    }
    const store = join(folder, "alice");
    expect((await once("--way", "http", "--store", store)).status).toBe(0);
    const again = await once("--store", store, "--group", GROUP);
    expect(again.status).toBe(0);

    // Groups are counted, not their keys.
    await cli("group", "rekey", GROUP, "--data-dir", data);
    const counted = await runCli([
      ...["client", "run", "--local", data, "--user", ALICE, "--once", "--timeout", "60s", "--store", store],
    ]);
    expect(counted.stdout).toMatch(/^GMK .*\nadded {2}GMK /m);
    expect(counted.stdout).toMatch(/^keys of all groups are there: 1$/m);

    const stranger = await runCli([
      ...["client", "run", "--local", data, "--user", BOB, "--group", GROUP, "--once", "--timeout", "2s"],
      "--json",
    ]);
    expect(stranger.status).toBe(1);
    expect(stranger.stdout).toContain(`"missing":["${GROUP}"]`);
  });
});
