// Makes the empty PGlite that servers and tests start from (store/database/pglite-image.ts), for each version of PGlite once.
import { rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { root, Stamp } from "./up-to-date.mjs";

const FOLDER = "build/database";
const FILE = `${FOLDER}.tar.gz`;
const version = createRequire(import.meta.url)("../package.json").dependencies["@electric-sql/pglite"];
const stamp = new Stamp("database", {
  inputs: ["tools/build-database.mjs"],
  versions: [version],
  outputs: [FOLDER, FILE],
});

if (stamp.current !== undefined) {
  console.log("the empty database is up to date");
} else {
  stamp.begin();
  const { PGlite } = await import("@electric-sql/pglite");
  rmSync(join(root, FOLDER), { recursive: true, force: true });
  const pglite = await PGlite.create(join(root, FOLDER));
  const image = new Uint8Array(await (await pglite.dumpDataDir("gzip")).arrayBuffer());
  await pglite.close();
  writeFileSync(join(root, FILE), image);
  stamp.end("");
  console.log(`${FOLDER}, ${FILE}  ${image.length} octets, PGlite ${version}`);
}
