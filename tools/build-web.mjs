// Builds the pages of web/ to web/dist/: scripts and workers with esbuild, split so that they load common parts once, styles
// after those of packages and the common ones, and what stands beside them as it is, with both builds of the core. Prints
// what each part takes, compressed: of the client what it always loads, of the console everything but what dispatchers load when
// they join.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";
import { root } from "./up-to-date.mjs";

/** Pages by name: their scripts, each with what it is named when it is built. */
const PAGES = {
  client: {
    page: "app/page.tsx",
    "keys-worker": "workers/keys-worker.ts",
    "media-worker": "workers/media-worker.ts",
    voice: "worklet/voice.ts",
  },
  console: {
    page: "app/page.tsx",
    "keys-worker": "workers/keys-worker.ts",
    "media-worker": "workers/media-worker.ts",
    voice: "../client/worklet/voice.ts",
  },
};

/** Styles of packages, before those of the page. */
const STYLES = { client: [], console: ["node_modules/uplot/dist/uPlot.min.css"] };

/** The core as base64, which no page reaches: it has the files below. */
const EMBEDDED = ["../wasm/fma.ts", "../wasm/simd.ts"];

const never = (...names) =>
  names
    .map((name) => `export class ${name} { constructor() { throw new Error("no page has a ${name}"); } }`)
    .join("\n");
/**
 * Modules that no page uses, though what it uses could. Pages have tokens and never a password, so no challenge for one is
 * answered, with MD5 and SHA-512; they are subscribers and no notifiers; and keys of groups reach them over SIP, not XCAP.
 * They have no transport keys: a wrapped key is refused as any that is not in clear, and new transport keys are passed over.
 * They have one WebSocket to each server, so no server is found by DNS, and no request is too large for a datagram.
 * Documents are XML 1.0, and exports of the core take numbers only, for which the browser's own instantiation does.
 */
const LEFT_OUT = {
  "transport/sip/auth/digest-client.ts": "export const answerDigest = () => undefined;",
  "transport/sip/subscription/notifier.ts": never("SubscriptionNotifier"),
  "documents/kms-xml/wrapped-keys.ts":
    "export const unwrapKeys = async () => ({ keys: new Map() }); export const keysOf = () => []; export const keyWrapper = keysOf;",
  "documents/kms-xml/new-keys.ts":
    "export const readNewKeys = () => undefined; export const newKeyNodes = () => [];",
  "roles/group-keys/fetcher.ts": never("Fetcher"),
  "roles/group-keys/xcap-client.ts": never("XcapClient", "XcapRefusedError"),
  "transport/sip/locate/locate.ts": "export const locate = async () => [];",
  "transport/sip/core/large-requests.ts": "export class LargeRequests { static has() { return false; } }",
  "node_modules/xmlchars/xml/1.1/ed2.js": "exports.isChar = () => false;",
  "node_modules/@assemblyscript/loader/index.js": `export const instantiate = async (module, imports) =>
    ({ exports: (await WebAssembly.instantiate(module, imports)).exports });`,
};
const leaveOut = {
  name: "leave-out",
  setup({ onLoad }) {
    for (const [file, contents] of Object.entries(LEFT_OUT)) {
      const path = join(root, file);
      if (!existsSync(path)) throw new Error(`${file}, which is left out of pages, is not there`);
      onLoad({ filter: new RegExp(`^${path.replaceAll(".", "\\.")}$`) }, () => ({ contents }));
    }
  },
};

/** Builds of the core, of which the page's workers load one. */
const CORES = ["fma.wasm", "simd.wasm"];

const outputs = {};
for (const [name, scripts] of Object.entries(PAGES)) {
  const out = join(root, "web/dist", name);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const file of ["index.html", "icon.svg"]) copyFileSync(join(root, "web", name, file), join(out, file));
  const sheets = [...STYLES[name], "web/common.css", `web/${name}/style.css`];
  const styles = sheets.map((file) => readFileSync(join(root, file), "utf8")).join("\n");
  const { code } = await transform(styles, { loader: "css", minify: true, target: "es2022" });
  writeFileSync(join(out, "style.css"), code);
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: Object.entries(scripts).map(([out, file]) => ({ in: `web/${name}/${file}`, out })),
    outdir: out,
    bundle: true,
    splitting: true,
    external: EMBEDDED,
    plugins: [leaveOut],
    minify: true,
    // LICENSES.txt has them.
    legalComments: "none",
    format: "esm",
    platform: "browser",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    metafile: true,
  });
  Object.assign(outputs, metafile.outputs);
  writeFileSync(join(out, "LICENSES.txt"), licensesOf(Object.keys(metafile.inputs)));
}
for (const page of Object.keys(PAGES))
  for (const file of CORES) copyFileSync(join(root, "build", file), join(root, "web/dist", page, file));

/** The licence texts of all packages of which something is bundled. */
function licensesOf(inputs) {
  const packages = inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  return [...new Set(packages)]
    .sort()
    .map((name) => `${name}\n\n${licenseOf(join(root, "node_modules", name))}`)
    .join("\n\n");
}

/** Its text, or its name where the package has no text. */
function licenseOf(folder) {
  const file = join(folder, "LICENSE");
  if (existsSync(file)) return readFileSync(file, "utf8");
  return `${JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).license}\n`;
}

/** A part with all that it imports, at once or later. */
function reachedFrom(path, seen = new Set()) {
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const { path: to, external } of outputs[path].imports) if (!external) reachedFrom(to, seen);
  return seen;
}

/** A part with all that it imports when it is loaded; what it imports later, when a session needs it, is left out. */
function loadedBy(path, seen = new Set()) {
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const { path: to, kind } of outputs[path].imports) if (kind === "import-statement") loadedBy(to, seen);
  return seen;
}

const sizeOf = (path) => gzipSync(readFileSync(join(root, path)), { level: 9 }).length / 1000;
const kB = (paths) => [...new Set(paths)].reduce((sum, path) => sum + sizeOf(path), 0);
const partsOf = (name) => [...loadedBy(`web/dist/${name}.js`)];
/** A page with its scripts and styles. */
const pageOf = (name) =>
  kB([...partsOf(`${name}/page`), ...["index.html", "style.css"].map((file) => `web/dist/${name}/${file}`)]);
/** A page with its scripts, those that it loads later too, and its styles. */
const wholePageOf = (name) =>
  kB([
    ...reachedFrom(`web/dist/${name}/page.js`),
    ...["index.html", "style.css", "icon.svg"].map((file) => `web/dist/${name}/${file}`),
  ]);
const workersOf = (name) =>
  kB([...partsOf(`${name}/keys-worker`), ...partsOf(`${name}/media-worker`)]) +
  Math.max(...CORES.map((file) => sizeOf(`web/dist/${name}/${file}`)));
const sizes = {
  page: pageOf("client"),
  workers: workersOf("client"),
  worklet: kB(partsOf("client/voice")),
  console: wholePageOf("console"),
  dispatcher: workersOf("console"),
};
writeFileSync(join(root, "web/dist/sizes.json"), `${JSON.stringify(sizes)}\n`);
for (const [name, size] of Object.entries(sizes))
  console.log(`${name.padEnd(10)} ${size.toFixed(1).padStart(6)} kB gzip`);
