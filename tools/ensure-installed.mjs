// Runs `npm ci` when node_modules is missing or is not what package-lock.json says, so that `npm start` works on a
// fresh clone. Plain Node: nothing may be installed yet.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("..", import.meta.url);

const reason = staleBecause();
if (reason !== undefined) {
  console.log(`${reason}: running npm ci`);
  // What npm has downloaded before is taken without asking the registry.
  process.exitCode = npm("ci", "--prefer-offline", "--no-audit", "--no-fund");
}

/** Why the packages must be installed; undefined when they need not. */
function staleBecause() {
  const wanted = packagesOf("package-lock.json");
  // npm keeps what it has installed in a lock file of its own.
  const installed = packagesOf("node_modules/.package-lock.json");
  if (installed === undefined) return "node_modules is missing";
  for (const [path, { version, optional }] of Object.entries(wanted)) {
    if (path === "") continue;
    const found = installed[path]?.version;
    // Optional packages are those of other platforms, or are there.
    if (found === version || (found === undefined && optional)) continue;
    return `${path} is ${found ?? "missing"}, not ${version}`;
  }
  return undefined;
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(new URL(file, root), "utf8")).packages;
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

function npm(...args) {
  const options = { cwd: fileURLToPath(root), stdio: "inherit" };
  // Under `npm start` this is npm's own script, which needs no shell to start on any platform.
  const script = process.env.npm_execpath;
  const run = script
    ? spawnSync(process.execPath, [script, ...args], options)
    : spawnSync("npm", args, { ...options, shell: process.platform === "win32" });
  if (run.error) throw run.error;
  return run.status ?? 1;
}
