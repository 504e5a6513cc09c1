// Builds the package twice from the last commit, in folders of different names, and compares the octets of the archives.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
    const [{ filename, files }] = JSON.parse(run(source, "npm", "pack", "--json", "--silent"));
    const sha256 = createHash("sha256")
      .update(readFileSync(join(source, filename)))
      .digest("hex");
    console.log(`${sha256}  ${filename}, ${files.length} files`);
    return sha256;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const same = build("a-") === build("a-longer-name-");
console.log(same ? "the same octets" : "DIFFERENT octets");
process.exitCode = same ? 0 : 1;
