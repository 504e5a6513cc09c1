/** The map of docs/architecture.md is complete: each folder with sources has one sentence, and each sentence a folder. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FLOORS = ["assembly", "base", "bindings", "transport", "documents", "store", "roles", "web", "cli"];
const AROUND = ["test", "bench", "tools", "docs", "site", "deploy", "vectors"];

function roomsIn(folder: string): string[] {
  const entries = readdirSync(`${ROOT}/${folder}`, { withFileTypes: true });
  const below = entries
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => roomsIn(`${folder}/${name}`));
  return entries.some((entry) => entry.name.endsWith(".ts")) ? [folder, ...below] : below;
}

const rows = readFileSync(`${ROOT}/docs/architecture.md`, "utf8")
  .split("\n")
  .map((line) => /^\| `([^`]+)\/` \| (.*) \|$/.exec(line))
  .filter((row) => row !== null)
  .map(([, room, sentence]) => ({ room: room!, sentence: sentence! }));

const TESTS = readFileSync(`${ROOT}/CONTRIBUTING.md`, "utf8");

describe("the map in docs/architecture.md", () => {
  it("has each room once and no other", () => {
    const rooms = [...FLOORS.flatMap(roomsIn), ...AROUND];
    expect(rows.map(({ room }) => room).sort()).toEqual(rooms.sort());
  });

  it("has the folders of the tests in CONTRIBUTING.md, twenty at most", () => {
    const entries = readdirSync(`${ROOT}/test`, { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    const listed = [...TESTS.matchAll(/^\| `([a-z]+)\/` \| .*\.(?: \|)$/gm)].map((match) => match[1]!);
    expect(listed.sort()).toEqual(entries.map(({ name }) => name).sort());
    expect(listed.length).toBeLessThanOrEqual(20);
  });

  it.each(rows)("describes $room in one sentence", ({ sentence }) => {
    expect(sentence).toMatch(/^[A-Z].{10,}\.$/);
    expect(sentence.slice(0, -1)).not.toMatch(/\. [A-Z]/);
  });
});
