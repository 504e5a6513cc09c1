/** Writes vectors/ at the root of the package; with --check compares, and ends with 1 where a file is another. */
import { readFile, writeFile } from "node:fs/promises";
import { documentGroups } from "./documents.ts";
import { vectorFile } from "./form.ts";
import { messageGroups } from "./i-messages.ts";
import { mediaTests } from "./media-keys.ts";
import { openVector, receiverOf } from "./open-vector.ts";
import { vectorWorld } from "./world.ts";

/** The files by name, the same octets each time. */
export async function allVectors(): Promise<ReadonlyMap<string, string>> {
  const world = await vectorWorld();
  const groups = await messageGroups(world);
  const opened = [];
  for (const group of groups) {
    const receiver = receiverOf(world.core, group);
    const tests = [];
    for (const test of group.tests) {
      const isInvalid = test.result === "invalid";
      tests.push(isInvalid ? test : { ...test, expected: await openVector(receiver, test) });
    }
    opened.push({ ...group, tests });
  }
  const about = "Keys in here are public: use them for tests only. See README.md.";
  const files = {
    "i-messages.json": vectorFile("MIKEY-SAKKE I_MESSAGE (TS 33.180 annex E)", [about], opened),
    "kms-documents.json": vectorFile("KMS documents (TS 33.180 D.3)", [about], documentGroups(world)),
    "media-keys.json": vectorFile(
      "SRTP keys (TS 33.180 7.4)",
      [about],
      [{ type: "MediaKeys", tests: await mediaTests() }],
    ),
  };
  return new Map(Object.entries(files).map(([name, file]) => [name, `${JSON.stringify(file, null, 1)}\n`]));
}

async function main(): Promise<void> {
  for (const [name, text] of await allVectors()) {
    const path = new URL(`../../vectors/${name}`, import.meta.url);
    if (!process.argv.includes("--check")) await writeFile(path, text);
    else if ((await readFile(path, "utf8")) !== text) {
      console.error(`vectors/${name} is not what tools/vectors makes`);
      process.exitCode = 1;
    }
    console.log(`vectors/${name}  ${text.length} octets`);
  }
}

if (process.argv[1]?.endsWith("tools/vectors/index.ts")) await main();
