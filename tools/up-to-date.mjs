// Finds out whether files were made from what is there now, so that a build is skipped when nothing has changed. A stamp
// beside them holds the hash of what they were made from and of the files themselves. Plain Node, as the builds are.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

export class Stamp {
  #file;
  #inputs;
  #outputs;

  /** `inputs`: files and folders, and versions of tools; `outputs`: files and folders. All below the root. */
  constructor(name, { inputs, versions = [], outputs }) {
    this.#file = join(root, "build", `${name}.stamp`);
    const hash = hashOf(inputs);
    this.#inputs = createHash("sha256").update(hash).update(JSON.stringify(versions)).digest("hex");
    this.#outputs = outputs;
  }

  /** The text noted when the files were made, if they are as they were made then and would be made so again. */
  get current() {
    try {
      const { inputs, outputs, told } = JSON.parse(readFileSync(this.#file, "utf8"));
      return inputs === this.#inputs && outputs === hashOf(this.#outputs) ? told : undefined;
    } catch {
      return undefined;
    }
  }

  /** Before the files are touched: what a kill leaves half made is never taken for whole. */
  begin() {
    rmSync(this.#file, { force: true });
  }

  end(told) {
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, JSON.stringify({ inputs: this.#inputs, outputs: hashOf(this.#outputs), told }));
  }
}

/** Names and content. */
function hashOf(paths) {
  const hash = createHash("sha256");
  for (const file of paths.flatMap((path) => filesIn(path))) {
    const content = readFileSync(join(root, file));
    hash.update(`${file.split(sep).join("/")}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/** All files of a folder, in the same order on every machine. */
export function filesIn(path) {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
}
