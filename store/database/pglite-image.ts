/**
 * A PGlite without rows, which the build makes with the tables of this version: starting from a copy takes a fraction of the time
 * that making one takes.
 */
import { constants, copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import { MIGRATIONS } from "../migrations/index.ts";

/**
 * tools/build-database.mjs makes them; the published package goes without, so that its octets can be reproduced. Their name is the
 * version of their tables: a checkout of an older version must not take what a newer one has built.
 */
const ROOT = import.meta.url.endsWith(".ts") ? "../.." : "../../..";
const FOLDER = built(`database/${MIGRATIONS.length}`);
const ARCHIVE = `${FOLDER}.tar.gz`;
/** Servers that start together make it once, and none keeps its 40 MB. */
const KEPT_MS = 30_000;

let made: Promise<Blob> | undefined;

/** For a database in memory. */
export async function emptyImage(): Promise<Blob> {
  try {
    return new Blob([await readFile(ARCHIVE)], { type: "application/x-gzip" });
  } catch {
    made ??= make();
    return made;
  }
}

/** Copies the empty database to `folder`; false, with nothing there, when the build has made none. */
export function copyEmptyFolder(folder: string): boolean {
  if (!existsSync(FOLDER)) return false;
  copy(FOLDER, folder);
  return true;
}

/** A thousand small files: the calls that wait take a third of the processor time of those that give promises. */
function copy(from: string, to: string): void {
  mkdirSync(to, { mode: 0o700 });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copy(source, target);
    else copyFileSync(source, target, constants.COPYFILE_EXCL);
  }
}

async function make(): Promise<Blob> {
  const pglite = await PGlite.create();
  setTimeout(() => {
    made = undefined;
  }, KEPT_MS).unref();
  try {
    return await pglite.dumpDataDir("none");
  } finally {
    await pglite.close();
  }
}

function built(name: string): string {
  return fileURLToPath(new URL(`${ROOT}/build/${name}`, import.meta.url));
}
