// Writes what the package consists of as CycloneDX (build/sbom.cdx.json): its dependencies at run time, from the lock file.
// The same lock file gives the same octets, so time, serial number and the folder's name are left out.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./up-to-date.mjs";

const FILE = "build/sbom.cdx.json";
const ARGUMENTS = ["sbom", "--sbom-format=cyclonedx", "--sbom-type=library", "--package-lock-only"];

const read = (file) => JSON.parse(readFileSync(join(root, file), "utf8"));
const { name } = read("package.json");
const made = JSON.parse(execFileSync("npm", ARGUMENTS, { cwd: root, encoding: "utf8" }));

// npm's own --omit=dev also leaves out what development and run time share.
const wanted = new Set(
  Object.entries(read("package-lock.json").packages)
    .filter(([path, { dev }]) => path !== "" && dev !== true)
    .map(([path, { version }]) => `${path.slice(path.lastIndexOf("node_modules/") + 13)}@${version}`),
);
const { serialNumber: _, ...bom } = made;
const own = bom.metadata.component["bom-ref"];
delete bom.metadata.timestamp;
bom.metadata.component.name = name;
bom.components = bom.components.filter((part) => wanted.has(`${part.name}@${part.version}`));
const refs = new Set([own, ...bom.components.map((part) => part["bom-ref"])]);
bom.dependencies = bom.dependencies
  .filter(({ ref }) => refs.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) }));

mkdirSync(join(root, "build"), { recursive: true });
writeFileSync(join(root, FILE), `${JSON.stringify(bom, null, 2)}\n`);
console.log(`${FILE}  ${bom.components.length} components`);
