/** The inputs that are kept for each target: `corpus/TARGET/`, a file each, named by its digest. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("corpus/", import.meta.url));

export function readCorpus(target: string): { readonly name: string; readonly octets: Uint8Array }[] {
  const folder = `${FOLDER}${target}`;
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, octets: new Uint8Array(readFileSync(`${folder}/${name}`)) }));
}

/** Writes it into the folder, and gives the path. */
export function keep(octets: Uint8Array, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const path = `${folder}/${createHash("sha256").update(octets).digest("hex").slice(0, 16)}`;
  writeFileSync(path, octets);
  return path;
}

export const folderOf = (target: string) => `${FOLDER}${target}`;
