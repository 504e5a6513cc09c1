// Makes the PGlite that servers and tests start from (store/database/pglite-image.ts): tables and no rows, once for each version
// of PGlite and of the tables. Needs dist/.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { root, Stamp } from "./up-to-date.mjs";

const FOLDER = "build/database";
const version = createRequire(import.meta.url)("../package.json").dependencies["@electric-sql/pglite"];
const stamp = new Stamp("database", {
  inputs: ["tools/build-database.mjs", "store/migrations", "store/database/migrate.ts"],
  versions: [version],
  outputs: [FOLDER],
});

if (stamp.current !== undefined) {
  console.log("build/database is up to date");
} else {
  stamp.begin();
  const { PGlite } = await import("@electric-sql/pglite");
  const { migrateWithin } = await import("../dist/store/database/migrate.js");
  const { MIGRATIONS } = await import("../dist/store/migrations/index.js");
  const made = join(root, FOLDER, String(MIGRATIONS.length));
  rmSync(join(root, FOLDER), { recursive: true, force: true });
  mkdirSync(join(root, FOLDER), { recursive: true });
  const pglite = await PGlite.create(made);
  // No database is made from these, and they are two thirds of the files that each start of a new server copies.
  for (const template of ["template1", "template0"]) {
    await pglite.exec(`UPDATE pg_database SET datistemplate = false WHERE datname = '${template}'`);
    await pglite.exec(`DROP DATABASE ${template}`);
  }
  await pglite.transaction((tables) => migrateWithin({ query: (text, given) => tables.query(text, given) }));
  const image = new Uint8Array(await (await pglite.dumpDataDir("gzip")).arrayBuffer());
  await pglite.close();
  writeFileSync(`${made}.tar.gz`, image);
  stamp.end("");
  console.log(
    `${FOLDER}: version ${MIGRATIONS.length} of the tables, ${image.length} octets compressed, PGlite ${version}`,
  );
}
