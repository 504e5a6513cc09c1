/** The log of servers that are asked to stop. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { STORY_MS, serve } from "./gms/gms-process.ts";
import { serveKms } from "./kms/kms-process.ts";
import { temporaryFolder } from "./run-cli.ts";

interface Stoppable {
  log(): string;
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

/** Returns the two last lines of the log of a server after a signal to which it ends with 0. */
async function lastLines(server: Stoppable, signal: NodeJS.Signals) {
  expect(await server.end(signal)).toBe(0);
  await expect.poll(() => server.log(), { timeout: STORY_MS }).toContain('"stopped"');
  const lines = server.log().trim().split("\n").slice(-2);
  return lines.map((line) => JSON.parse(line));
}

const ended = (signal: NodeJS.Signals) => [
  { level: 30, signal, msg: "stopping" },
  { level: 30, msg: "stopped" },
];

it("the log of serve, serve gms and serve kms ends with the signal that stopped them, and that they have stopped", {
  timeout: STORY_MS,
}, async () => {
  const folder = await temporaryFolder();
  const kms = await serveKms(join(folder, "kms"));
  const gms = await serve(join(folder, "gms"), [
    ...["gms", "--gms-uri", "sip:away@example.org", "--kms-url", kms.url, "--kms-uri", kms.kmsUri],
    ...["--kms-development-token", kms.dataDir, "--kms-ca", kms.ca],
  ]);
  expect(await lastLines(gms, "SIGINT")).toMatchObject(ended("SIGINT"));
  expect(await lastLines(kms, "SIGTERM")).toMatchObject(ended("SIGTERM"));
  const all = await serve(join(folder, "all"));
  expect(await lastLines(all, "SIGTERM")).toMatchObject(ended("SIGTERM"));
});
