// `npm run docs`: collects the Markdown of the repository, and builds static pages from it in build/site.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SITE = join(ROOT, "site");
const PAGES = join(SITE, "pages");
const FROM = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "docs",
  "deploy/README.md",
  "vectors/README.md",
];

run("npm", ["ci", "--silent"], !existsSync(join(SITE, "node_modules")));
rmSync(PAGES, { recursive: true, force: true });
for (const path of FROM) {
  mkdirSync(dirname(join(PAGES, path)), { recursive: true });
  cpSync(join(ROOT, path), join(PAGES, path), { recursive: true });
}
run("npx", ["vitepress", "build"], true);

function run(command, args, isNeeded) {
  if (!isNeeded) return;
  const { status } = spawnSync(command, args, { cwd: SITE, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
