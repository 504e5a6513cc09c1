/** What a server keeps for members who are away outlives its process. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { STORY_MS, serve } from "../gms/gms-process.ts";
import { cli } from "../kms/kms-process.ts";
import { spawnCli, startCli, temporaryFolder } from "../run-cli.ts";

const GROUP = "sip:fire@example.org";
const [ALICE, BOB, CAROL] = [
  "sip:alice@example.org",
  "sip:bob@example.org",
  "sip:carol@example.org",
] as const;

it("a text and a file for a member who is away come after kill -9 of the server, and the sender learns whom they miss", {
  timeout: STORY_MS,
}, async () => {
  const folder = await temporaryFolder();
  const data = join(folder, "data");
  const start = () => serve(data, [], { MIKEY_SAKKE_MCX_FILES_PORT: "0" });
  const servers = await start();
  await cli("group", "create", GROUP, ALICE, BOB, CAROL, "--data-dir", data);
  const as = (user: string) => ["--local", data, "--user", user, "--json"];
  const [plan, stored] = [join(folder, "plan.bin"), join(folder, "stored")];
  const octets = Uint8Array.from({ length: 700_000 }, (_, n) => n % 251);
  await writeFile(plan, octets);

  // Bob has been there, and Carol has not.
  await spawnCli(["mcdata", "receive", GROUP, ...as(BOB), "--seconds", "1"]);
  const text = await spawnCli(["mcdata", "send", GROUP, "north gate", "--notices", "5s", ...as(ALICE)]);
  expect(text.json()).toEqual({ status: "sent", group: GROUP, undelivered: [CAROL] });
  await spawnCli(["mcdata", "send", GROUP, "--file", plan, ...as(ALICE)]);
  expect(await servers.end("SIGKILL")).toBe("SIGKILL");

  await start();
  const receiving = ["mcdata", "receive", GROUP, ...as(BOB), "--files", stored, "--count", "2"];
  const { stdout, stderr, status } = await startCli(receiving).ended;
  expect(status, stderr).toBe(0);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events.find(({ event }) => event === "data")).toMatchObject({
    from: ALICE,
    payloads: [{ text: "north gate" }],
  });
  const { path } = events.find(({ event }) => event === "file");
  expect(new Uint8Array(await readFile(path))).toEqual(octets);
});
