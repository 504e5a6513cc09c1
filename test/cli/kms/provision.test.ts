/** From `serve kms` over HTTPS to a group key that was sealed and opened with what was provisioned. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, temporaryFolder } from "../run-cli.ts";
import {
  cli,
  cliProcess,
  type KmsProcess,
  keysIn,
  provisionArgs,
  STORY_MS,
  serveKms,
} from "./kms-process.ts";

const GMS = "sip:gms@example.org";
const ALICE = "sip:alice@example.org";

/** Seals a key to Alice with the GMS's files, opens it with hers; the identifiers that both sides saw. */
async function sealAndOpen(folder: string, run = cli) {
  await writeFile(join(folder, "members.txt"), `${ALICE}\n`);
  const sealed = await run(
    "seal",
    ...keysIn(join(folder, "gms")),
    ...["--group", "sip:fire@example.org", "--members", join(folder, "members.txt")],
    ...["--out", join(folder, "sealed"), "--force"],
  );
  const opened = await run("open", ...keysIn(join(folder, "alice")), join(folder, "sealed"));
  return {
    sealed: sealed.json<{ gmkId: string }>().gmkId,
    opened: opened.json<{ messages: { keyId: string; initiator: { uri: string } }[] }>().messages,
  };
}

async function transportKeys(kms: KmsProcess, user: string, name: string): Promise<string[]> {
  const files = ["--trk", `${name}.trk`, "--ink", `${name}.ink`];
  await cli("kms", "transport-key", "--data-dir", kms.dataDir, "--user", user, ...files);
  return files;
}

describe("serve kms and provision", { timeout: STORY_MS }, () => {
  it("give files without TrK and InK that seal and open messages", async () => {
    const folder = await temporaryFolder();
    const kms = await serveKms(join(folder, "kms"));
    expect(kms).toMatchObject({ kmsUri: "kms.localhost", developmentTokens: true });
    expect(kms.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(kms.log()).toContain("DEVELOPMENT TOKENS");

    const provisioned = await cliProcess(...provisionArgs(kms, GMS, join(folder, "gms")));
    expect(provisioned.json()).toMatchObject({
      kmsUri: "kms.localhost",
      keyPeriods: [expect.any(Number), expect.any(Number)],
    });
    await cliProcess(...provisionArgs(kms, ALICE, join(folder, "alice")));
    const { sealed, opened } = await sealAndOpen(folder, cliProcess);
    expect(opened).toMatchObject([{ status: "accepted", keyId: sealed, initiator: { uri: GMS } }]);

    expect(await kms.end("SIGTERM")).toBe(0);
  });

  it("replace the TrK and InK of a provisioned client", async () => {
    const folder = await temporaryFolder();
    const kms = await serveKms(join(folder, "kms"));
    const name = join(folder, "alice");
    const files = await transportKeys(kms, ALICE, name);
    const gmsFiles = await transportKeys(kms, GMS, join(folder, "gms"));
    await cliProcess(...provisionArgs(kms, GMS, join(folder, "gms")), ...gmsFiles);
    const first = await cliProcess(...provisionArgs(kms, ALICE, name), ...files);
    expect(first.json()).toMatchObject({ newKeys: [] });
    const { sealed, opened } = await sealAndOpen(folder, cliProcess);
    expect(opened).toMatchObject([{ status: "accepted", keyId: sealed }]);

    // Without the TrK what comes is of no use, and with a wrong InK nothing comes.
    const naked = await runCli([...provisionArgs(kms, ALICE, join(folder, "naked")), "--json"]);
    expect(naked.status).toBe(1);
    await cli(
      "kms",
      "transport-key",
      "--data-dir",
      kms.dataDir,
      "--user",
      "sip:bob@example.org",
      "--ink",
      `${folder}/bob.ink`,
    );
    const wrong = [...files.slice(0, 2), "--ink", `${folder}/bob.ink`];
    const refused = await runCli([...provisionArgs(kms, ALICE, join(folder, "wrong")), ...wrong, "--json"]);
    expect(refused.status).toBe(1);

    // New keys come along, are put in place of the files, and are in use from the next request on.
    const before = JSON.parse(await readFile(`${name}.trk`, "utf8")) as { id: string };
    await cli(
      ...["kms", "transport-key", "--data-dir", kms.dataDir, "--user", ALICE],
      ...["--trk", join(folder, "next.trk"), "--ink", join(folder, "next.ink")],
    );
    const second = await cli(...provisionArgs(kms, ALICE, name), ...files, "--force");
    expect(second.json()).toMatchObject({
      newKeys: [
        { kind: "InK", file: `${name}.ink` },
        { kind: "TrK", file: `${name}.trk` },
      ],
    });
    const after = JSON.parse(await readFile(`${name}.trk`, "utf8")) as { id: string };
    expect(after).toMatchObject({ kind: "TrK", userUri: ALICE });
    expect(after.id).not.toBe(before.id);
    expect(after).toEqual(JSON.parse(await readFile(join(folder, "next.trk"), "utf8")));
    const third = await cli(...provisionArgs(kms, ALICE, name), ...files, "--force");
    expect(third.json()).toMatchObject({ newKeys: [] });
    expect((await sealAndOpen(folder)).opened).toMatchObject([{ status: "accepted" }]);
  });

  it("write to sealed storage, which keeps new transport keys", async () => {
    const folder = await temporaryFolder();
    const kms = await serveKms(join(folder, "kms"));
    const files = await transportKeys(kms, ALICE, join(folder, "alice"));
    const store = ["--store", join(folder, "sealed-store")];
    const first = await cli(...provisionArgs(kms, ALICE, join(folder, "alice")), ...files, ...store);
    expect(first.json()).toMatchObject({ keyPeriods: [expect.any(Number), expect.any(Number)] });
    await cli(
      ...["kms", "transport-key", "--data-dir", kms.dataDir, "--user", ALICE],
      ...["--trk", join(folder, "next.trk")],
    );
    const args = [...provisionArgs(kms, ALICE, join(folder, "alice")), ...files, ...store, "--force"];
    expect((await cli(...args)).json()).toMatchObject({ newKeys: [{ kind: "TrK", id: expect.any(String) }] });
    // The old file still names the old key; the storage has the new one.
    expect((await cli(...args)).status).toBe(0);

    const keys = await readFile(join(folder, "alice", "keys.xml"), "utf8");
    const rsk = /<UserDecryptKey[^>]*>([0-9a-fA-F]+)</.exec(keys)![1]!;
    for (const name of await readdir(join(folder, "sealed-store"))) {
      const octets = await readFile(join(folder, "sealed-store", name));
      expect(octets.includes(Buffer.from(rsk, "hex")), name).toBe(false);
      expect(octets.includes(ALICE), name).toBe(false);
    }
  });
});
