// `npm run docs`: collects the Markdown of the repository and builds static pages from it in build/site, with the API reference
// of both packages, from the doc comments, in build/site/api.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SITE = join(ROOT, "site");
const PAGES = join(SITE, "pages");
const ENTRIES = join(ROOT, "build/api-entries");
const FROM = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "docs",
  "deploy/README.md",
  "vectors/README.md",
];

if (!isInstalled()) run("npm", ["ci", "--silent"]);
rmSync(PAGES, { recursive: true, force: true });
for (const path of FROM) {
  mkdirSync(dirname(join(PAGES, path)), { recursive: true });
  cpSync(join(ROOT, path), join(PAGES, path), { recursive: true });
}
run("npx", ["vitepress", "build"]);
// After the pages, as VitePress empties its folder.
run("npx", ["typedoc", "--options", writeApiEntries()]);

/** Returns whether each package that package.json names is here in its version. */
function isInstalled() {
  const { devDependencies } = JSON.parse(readFileSync(join(SITE, "package.json"), "utf8"));
  return Object.entries(devDependencies).every(([name, version]) => {
    const file = join(SITE, "node_modules", name, "package.json");
    return existsSync(file) && JSON.parse(readFileSync(file, "utf8")).version === version;
  });
}

/** Writes one module for each entry of the packages, named as it is imported, and returns the options of typedoc. */
function writeApiEntries() {
  rmSync(ENTRIES, { recursive: true, force: true });
  const packages = JSON.parse(readFileSync(join(ROOT, "tools/packages.json"), "utf8"));
  const entryPoints = packages.flatMap((owner) =>
    Object.entries(owner.entries).map(([path, source]) => {
      const name = join(owner.name, path);
      const file = join(ENTRIES, `${name.replaceAll("/", "-")}.ts`);
      const [, comment = ""] = /^\/\*\*([\s\S]*?)\*\//.exec(readFileSync(join(ROOT, source), "utf8")) ?? [];
      mkdirSync(ENTRIES, { recursive: true });
      writeFileSync(
        file,
        `/**${comment}\n * @module ${name}\n */\nexport * from "${relative(ENTRIES, join(ROOT, source))}";\n`,
      );
      return file;
    }),
  );
  const tsconfig = join(ENTRIES, "tsconfig.json");
  writeFileSync(tsconfig, JSON.stringify({ extends: "../../tsconfig.json", include: ["*.ts"] }));
  const options = join(ENTRIES, "typedoc.json");
  writeFileSync(
    options,
    JSON.stringify({
      name: "mikey-sakke",
      entryPoints,
      tsconfig,
      out: join(ROOT, "build/site/api"),
      readme: "none",
      disableSources: true,
      excludePrivate: true,
      navigationLinks: { Documentation: "../docs/index.html" },
      // Types that a public one mentions without the package exporting them have no page.
      validation: { invalidLink: true, rewrittenLink: true, invalidPath: true, notExported: false },
      treatWarningsAsErrors: true,
      // Types are checked by `npm run typecheck`.
      skipErrorChecking: true,
      logLevel: "Warn",
    }),
  );
  return options;
}

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: SITE, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
