// Compiles base/, bindings/, transport/, documents/, store/, roles/ and cli/ to dist/, which is emptied first so that no file of a removed
// source stays in the package. Skipped when nothing has changed; `--force` compiles in any case.
// `--run`: what is needed to run it and no more. Types are neither checked nor written, which takes a second, not twenty.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { filesIn, root, Stamp } from "./up-to-date.mjs";

const SOURCES = ["base", "bindings", "transport", "documents", "store", "roles", "cli"];

const require = createRequire(import.meta.url);
const version = (name) => require(`${name}/package.json`).version;
const stampOf = (kind, compiler) =>
  new Stamp(kind, {
    inputs: [...SOURCES, "tsconfig.json", "tsconfig.build.json", "package.json", "tools/build-ts.mjs"],
    versions: [version(compiler)],
    outputs: ["dist"],
  });

const whole = stampOf("package", "typescript");
const run = stampOf("run", "esbuild");
const isForRun = process.argv.includes("--run");
const isForced = process.argv.includes("--force");
const isCurrent = whole.current !== undefined || (isForRun && run.current !== undefined);

if (isCurrent && !isForced) {
  console.log("dist/ is up to date");
} else {
  whole.begin();
  run.begin();
  rmSync(join(root, "dist"), { recursive: true, force: true });
  if (isForRun && (await transpile())) run.end("");
  else if (compile()) whole.end("");
  else process.exitCode = 1;
}

function compile() {
  const typescript = dirname(require.resolve("typescript/package.json"));
  const args = [join(typescript, "bin/tsc"), "-p", "tsconfig.build.json"];
  return spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status === 0;
}

/** Each file by itself. False: esbuild has no program for this platform. */
async function transpile() {
  try {
    const { build } = await import("esbuild");
    await build({
      absWorkingDir: root,
      entryPoints: SOURCES.flatMap(filesIn).filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts")),
      outdir: "dist",
      outbase: ".",
      format: "esm",
      target: "es2022",
      tsconfig: "tsconfig.json",
      // Not to bundle anything, but to hear of each import, which tsc writes with the ending of what it has made.
      bundle: true,
      treeShaking: false,
      plugins: [{ name: "imports", setup: keepImports }],
    });
    return true;
  } catch (error) {
    console.log(`esbuild does not run here (${error.message}): compiling with tsc, which takes longer`);
    return false;
  }
}

function keepImports({ onResolve }) {
  onResolve({ filter: /./ }, ({ kind, path }) => {
    if (kind === "entry-point") return undefined;
    const made = path.startsWith(".") ? path.replace(/\.ts$/, ".js") : path;
    return { path: made, external: true, sideEffects: true };
  });
}
