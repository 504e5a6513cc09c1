/** Files of a group on the command line. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { STORY_MS, serve } from "../gms/gms-process.ts";
import { cli } from "../kms/kms-process.ts";
import { spawnCli, startCli, temporaryFolder } from "../run-cli.ts";

const GROUP = "sip:fire@example.org";
const [ALICE, BOB] = ["sip:alice@example.org", "sip:bob@example.org"] as const;

it("mcdata send --file is stored by mcdata receive --files, as it was, for a group and for one user", {
  timeout: STORY_MS,
}, async () => {
  const folder = await temporaryFolder();
  const data = join(folder, "data");
  await serve(data, [], { MIKEY_SAKKE_MCX_FILES_PORT: "0" });
  await cli("group", "create", GROUP, ALICE, BOB, "--data-dir", data);
  const as = (user: string) => ["--local", data, "--user", user, "--json"];
  const [plan, stored] = [join(folder, "plan of the north gate.bin"), join(folder, "stored")];
  const octets = Uint8Array.from({ length: 150_000 }, (_, n) => n % 251);
  await writeFile(plan, octets);

  const receiving = startCli(["mcdata", "receive", GROUP, ...as(BOB), "--files", stored, "--count", "2"]);
  await receiving.shows('"event":"receiving"');
  const sent = await spawnCli(["mcdata", "send", GROUP, "--file", plan, ...as(ALICE)]);
  expect(sent.json()).toEqual({
    status: "sent",
    group: GROUP,
    file: "plan of the north gate.bin",
    bytes: octets.length,
  });
  await receiving.shows('"event":"file"');
  await spawnCli(["mcdata", "send", GROUP, "it is the north gate", ...as(ALICE)]);
  const received = await receiving.ended;
  expect(received.status, received.stderr).toBe(0);
  const lines = received.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const file = lines.find(({ event }) => event === "file");
  expect(file).toMatchObject({ group: GROUP, from: ALICE, mediaType: "application/octet-stream" });
  expect(await readdir(stored)).toEqual([`${file.messageId}-plan_of_the_north_gate.bin`]);
  expect(file.path).toBe(join(stored, `${file.messageId}-plan_of_the_north_gate.bin`));
  expect(new Uint8Array(await readFile(file.path))).toEqual(octets);
  expect(lines.at(-1)).toMatchObject({ event: "data", payloads: [{ text: "it is the north gate" }] });

  const alone = startCli(["mcdata", "receive", ...as(BOB), "--files", stored, "--count", "1"]);
  await alone.shows('"event":"receiving"');
  const toBob = await spawnCli(["mcdata", "send", "--to", BOB, "--file", plan, ...as(ALICE)]);
  expect(toBob.json()).toMatchObject({ status: "sent", to: BOB, bytes: octets.length });
  const { path } = JSON.parse((await alone.ended).stdout.trim().split("\n").at(-1)!);
  expect(new Uint8Array(await readFile(path))).toEqual(octets);
  expect(await readdir(stored)).toHaveLength(2);

  for (const args of [[], ["text", "--file", plan]]) {
    const neither = await spawnCli(["mcdata", "send", GROUP, ...args, ...as(ALICE)]);
    expect([neither.status, neither.json().code]).toEqual([2, "TEXT_OR_FILE"]);
  }
  const both = await spawnCli(["mcdata", "send", GROUP, "--to", BOB, "--file", plan, ...as(ALICE)]);
  expect([both.status, both.json().code]).toEqual([2, "GROUP_OR_USER"]);
});
