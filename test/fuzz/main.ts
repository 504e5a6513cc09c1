/** `npm run fuzz -- [TARGET…] [--seconds N] [--seed N] [--keep]`: each target in turn; status 1 when one of them fails. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { keep } from "./corpus.ts";
import { TARGETS } from "./targets.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now()) },
    /** Short inputs that run something new go into the corpus of the tree. */
    keep: { type: "boolean", default: false },
  },
});
const names = positionals.length > 0 ? positionals : Object.keys(TARGETS);
const unknown = names.filter((name) => TARGETS[name] === undefined);
if (unknown.length > 0) {
  process.stderr.write(
    `no such target: ${unknown.join(", ")}; there are ${Object.keys(TARGETS).join(", ")}\n`,
  );
  process.exit(2);
}

/** A batch takes milliseconds. */
const HANGS_MS = 60_000;
const LOOK_MS = 5000;
const SCRIPT = fileURLToPath(new URL("fuzz-one.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "mikey-sakke-fuzz-"));
process.stdout.write(`seed ${values.seed}\n`);
let status = 0;
for (const name of names) if (!(await fuzz(name))) status = 1;
rmSync(folder, { recursive: true, force: true });
process.exit(status);

function fuzz(name: string): Promise<boolean> {
  const current = join(folder, name);
  const args = [name, values.seconds, values.seed, current, ...(values.keep ? ["keep"] : [])];
  const child = spawn(process.execPath, ["--import", "tsx", SCRIPT, ...args], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const watch = setInterval(() => {
    const since = statSync(current, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - since < HANGS_MS) return;
    const batch = JSON.parse(readFileSync(current, "utf8")) as string[];
    const kept = batch.map((octets) =>
      keep(new Uint8Array(Buffer.from(octets, "base64")), `fuzz-found/${name}`),
    );
    process.stdout.write(
      `${name}: hangs on one of ${kept.length} inputs, which are kept beside ${kept[0]}\n`,
    );
    child.kill("SIGKILL");
  }, LOOK_MS);
  return new Promise((resolve) => {
    child.on("close", (code) => {
      clearInterval(watch);
      resolve(code === 0);
    });
  });
}
