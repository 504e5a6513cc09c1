// Builds the packages twice from the last commit, in folders of different names, and compares the octets of the archives.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { root } from "./up-to-date.mjs";

const run = (cwd, command, ...args) =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

function build(prefix) {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  try {
    console.log(`building in ${folder}`);
    run(folder, "git", "clone", "--quiet", root, "source");
    const source = join(folder, "source");
    run(source, "npm", "ci", "--no-audit", "--no-fund");
    run(source, "npm", "run", "packages", "--silent");
    const made = join(source, "build/packages");
    const archives = readdirSync(made).filter((name) => name.endsWith(".tgz"));
    return archives.map((name) => {
      const sha256 = createHash("sha256")
        .update(readFileSync(join(made, name)))
        .digest("hex");
      console.log(`${sha256}  ${name}`);
      return sha256;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const same = isDeepStrictEqual(build("a-"), build("a-longer-name-"));
console.log(same ? "the same octets" : "DIFFERENT octets");
process.exitCode = same ? 0 : 1;
