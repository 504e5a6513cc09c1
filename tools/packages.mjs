// node tools/packages.mjs [--out FOLDER]    makes the two packages of packages.json from dist/, and packs them
// FOLDER, build/packages by default, gets a folder and an archive of each. A package has the rooms that are its own, and what
// it imports of the other's becomes an import of that package, so that nothing is in both. Dependencies are the packages
// that the files import, at the versions of package.json, and those pinned for the reason that packages.json gives.
// `npm run packages` builds dist/ before.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix, resolve } from "node:path";
import ts from "typescript";
import { filesIn, root } from "./up-to-date.mjs";

/** Folder of the man pages in a package that has commands. */
const MAN = "man";

const read = (file) => JSON.parse(readFileSync(join(root, file), "utf8"));
const packages = read("tools/packages.json");
const manifest = read("package.json");

/** Files of dist/ with their package, and without the folder dist/. */
const owners = new Map(
  filesIn("dist")
    .filter((file) => /\.(js|d\.ts)$/.test(file))
    .map((file) => [file.slice("dist/".length), ownerOf(file.slice("dist/".length))]),
);

/** The package with the innermost room around a file. */
function ownerOf(file) {
  const around = packages.flatMap((owner) =>
    owner.rooms.filter((room) => file.startsWith(`${room}/`)).map((room) => ({ owner, depth: room.length })),
  );
  if (around.length === 0) throw new Error(`tools/packages.json: ${file} is in no package`);
  return around.sort((a, b) => b.depth - a.depth)[0].owner;
}

/** The text of a file as its package has it, and the packages that it imports. */
function staged(file, owner) {
  const text = readFileSync(join(root, "dist", file), "utf8");
  const imports = ts.preProcessFile(text, true, true).importedFiles;
  const used = new Set();
  const parts = [];
  let end = 0;
  for (const { fileName, pos } of imports.sort((a, b) => a.pos - b.pos)) {
    const at = text.indexOf(fileName, pos);
    const target = moduleIn(fileName, file, owner);
    parts.push(text.slice(end, at), target);
    end = at + fileName.length;
    if (!target.startsWith(".") && !target.startsWith("node:")) used.add(packageOf(target));
  }
  return { text: parts.join("") + text.slice(end), used };
}

function moduleIn(name, file, owner) {
  if (!name.startsWith(".")) return name;
  const target = posix.join(posix.dirname(file), name).replace(/\.[jt]s$/, "");
  const other = owners.get(`${target}.js`);
  if (other === undefined) throw new Error(`dist/${file} imports ${name}, which is not there`);
  return other === owner ? name : `${other.name}/internal/${target}`;
}

/** "@noble/hashes/sha2.js" is of the package "@noble/hashes". */
const packageOf = (name) => name.split("/", name.startsWith("@") ? 2 : 1).join("/");

function versionOf(name, owner) {
  const sibling = packages.find((other) => other.name === name);
  const version = sibling === undefined ? manifest.dependencies[name] : manifest.version;
  if (version === undefined)
    throw new Error(`${owner.name} imports ${name}, which package.json does not have`);
  return version;
}

const compiled = (source) => `./dist/${source.replace(/\.ts$/, ".js")}`;
const exported = (source) => ({
  types: `./dist/${source.replace(/\.ts$/, ".d.ts")}`,
  default: compiled(source),
});

function manifestOf(owner) {
  const { name, description, entries, bin } = owner;
  const { version, keywords, license, type, sideEffects, engines } = manifest;
  const commands = Object.entries(bin).map(([command, source]) => [command, compiled(source).slice(2)]);
  const { dependencies, peers } = dependenciesOf(owner);
  const imported = packages.some((other) => other !== owner && used.get(other).has(name));
  return {
    name,
    version,
    description,
    keywords,
    license,
    type,
    sideEffects: sideEffects.filter((path) => owners.get(path.slice("./dist/".length)) === owner),
    engines,
    ...(commands.length > 0 && { bin: Object.fromEntries(commands) }),
    ...(owner.man && { man: readdirSync(join(out, name, MAN)).map((page) => `./${MAN}/${page}`) }),
    exports: {
      ...Object.fromEntries(Object.entries(entries).map(([path, source]) => [path, exported(source)])),
      // For the other package at the same version; no part of the API.
      ...(imported && { "./internal/*": exported("*.ts") }),
      "./package.json": "./package.json",
    },
    dependencies,
    ...(Object.keys(peers).length > 0 && {
      peerDependencies: peers,
      peerDependenciesMeta: pick(manifest.peerDependenciesMeta, Object.keys(peers)),
    }),
  };
}

/** The packages that are needed with their versions, and apart from them those that an application may have. */
function dependenciesOf(owner) {
  const isPeer = (name) => manifest.peerDependencies[name] !== undefined;
  const names = [...used.get(owner)].sort();
  const own = names.filter((name) => !isPeer(name));
  return {
    dependencies: Object.fromEntries(own.map((name) => [name, versionOf(name, owner)])),
    peers: pick(manifest.peerDependencies, names.filter(isPeer)),
  };
}

const pick = (table, names) => Object.fromEntries(names.map((name) => [name, table[name]]));

/** The files of a pattern with one asterisk, which stands for a name, or the file itself. */
function filesOf(pattern) {
  const [start, end] = pattern.split("*");
  if (end === undefined) return [pattern];
  const isMatch = (file) =>
    file.startsWith(start) && file.endsWith(end) && dirname(file) === dirname(pattern);
  return filesIn(dirname(pattern)).filter(isMatch);
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const at = process.argv.indexOf("--out");
const out = at < 0 ? join(root, "build/packages") : resolve(process.argv[at + 1]);
rmSync(out, { recursive: true, force: true });

const used = new Map(packages.map((owner) => [owner, new Set(Object.keys(owner.pinned))]));
for (const [file, owner] of owners) {
  const made = staged(file, owner);
  write(join(out, owner.name, "dist", file), made.text);
  for (const name of made.used) used.get(owner).add(name);
}
for (const owner of packages) {
  const folder = join(out, owner.name);
  for (const file of owner.files.flatMap(filesOf)) cpSync(join(root, file), join(folder, file));
  if (owner.man) {
    execFileSync(process.execPath, ["--import", "tsx", "tools/man-pages.ts", join(folder, MAN)], {
      cwd: root,
    });
  }
  write(join(folder, "package.json"), `${JSON.stringify(manifestOf(owner), null, 2)}\n`);
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", out];
  const [{ filename, files, unpackedSize }] = JSON.parse(
    execFileSync("npm", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }),
  );
  console.log(`${join(out, filename)}  ${files.length} files, ${(unpackedSize / 1e6).toFixed(1)} MB`);
}
