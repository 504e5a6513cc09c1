/** `serve` as one domain: whom its KMS shuts out is out of the groups, and its servers' names are nobody else's. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { cli } from "../kms/kms-process.ts";
import { runCli, temporaryFolder } from "../run-cli.ts";
import { runClient, STORY_MS, serve } from "./gms-process.ts";

const GROUP = "sip:fire@example.org";
const [ALICE, BOB, CAROL] = ["alice", "bob", "carol"].map((name) => `sip:${name}@example.org`) as [
  string,
  string,
  string,
];

it("a lost radio is shut out until the others refuse its keys, and a user revoked at the KMS leaves the groups", {
  timeout: STORY_MS,
}, async () => {
  const data = join(await temporaryFolder(), "data");
  await serve(data, [], { MIKEY_SAKKE_GMS_POLICY_REVOKE_GRACE: "1" });
  const made = (await cli("group", "create", GROUP, ALICE, BOB, CAROL, "--data-dir", data)).json<{
    rekeys: { gmkId: string }[];
  }>();
  const { gmkId } = made.rekeys[0]!;
  const has = (event: Record<string, unknown>) => event.event === "key" && event.gmkId === gmkId;
  const clients = [
    runClient(data, ALICE, "--sip", "udp"),
    runClient(data, BOB, "--way", "http", "--poll", "1s"),
  ];
  const carol = runClient(data, CAROL, "--sip", "tcp");
  await Promise.all([...clients, carol].map((client) => client.event(has)));

  const lost = await runCli(["user", "lost", CAROL, "--data-dir", data, "--timeout", "2m", "--json"]);
  expect(lost.json(), lost.stderr).toMatchObject({
    status: "ok",
    groups: [],
    gmks: [{ gmkId, state: "revoked" }],
    outstanding: 0,
  });
  expect(lost.status).toBe(0);
  const isRevoked = (event: Record<string, unknown>) => has(event) && event.change === "revoked";
  await Promise.all(clients.map((client) => client.event(isRevoked)));
  const { users } = (await cli("kms", "user", "list", "--data-dir", data)).json<{
    users: { user?: string; uri?: string; revoked?: string }[];
  }>();
  expect(users.find(({ uri }) => uri === CAROL)!.revoked).toBeDefined();
  const again = await runCli(["user", "lost", CAROL, "--data-dir", data, "--json"]);
  expect(again.json()).toMatchObject({ status: "ok", outstanding: 0 });

  await cli("kms", "user", "revoke", BOB, "--data-dir", data);
  const members = async () =>
    (await cli("group", "show", GROUP, "--data-dir", data))
      .json<{ members: { uri: string }[] }>()
      .members.map(({ uri }) => uri);
  await expect.poll(members, { timeout: 60_000, interval: 500 }).toEqual([ALICE]);
});

it("the identities of its own GMS and MCX server are given to no user's token", {
  timeout: STORY_MS,
}, async () => {
  const folder = await temporaryFolder();
  const data = join(folder, "data");
  const { kmsUrl, ca, gmsUri } = await serve(data);
  const { servers } = JSON.parse(await readFile(join(data, "config.json"), "utf8"));
  expect(servers).toMatchObject([{ kind: "gms" }, { kind: "mcx-server" }]);
  for (const user of [gmsUri, "sip:mcx@mcx.localhost"]) {
    const at = ["--kms-url", kmsUrl, "--ca", ca, "--development-token", data];
    const got = await runCli(["provision", ...at, "--user", user, "--out", join(folder, "taken"), "--json"]);
    expect(got.status, user).toBe(1);
    expect(got.stdout, user).toContain("40302");
  }
});
