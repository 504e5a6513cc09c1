/** The schema: brought up to date once, by whoever comes first, all or nothing. */
import { expect, it } from "vitest";
import { migrate } from "../../store/database/migrate.ts";
import { MIGRATIONS } from "../../store/migrations/index.ts";
import { onEachDatabase } from "../support/databases.ts";

const MORE = { name: "more", statements: ["CREATE TABLE more (a integer)", "INSERT INTO more VALUES (1)"] };

onEachDatabase("migrations", ({ fresh, again }) => {
  it("migrations run once each, also when processes start at once", async () => {
    const db = await fresh();
    const others = [db, await again(), await again()];
    await Promise.all(others.map((d) => migrate(d, [...MIGRATIONS, MORE])));
    expect((await db.query("SELECT a FROM more")).rows).toEqual([{ a: 1 }]);
    const { rows } = await db.query("SELECT version, name FROM schema_migration ORDER BY version");
    expect(rows).toEqual([...MIGRATIONS, MORE].map(({ name }, i) => ({ version: i + 1, name })));
  });

  it("migrations leave nothing of a step that fails", async () => {
    const db = await fresh();
    const broken = { name: "broken", statements: [...MORE.statements, "INSERT INTO nowhere VALUES (1)"] };
    await expect(migrate(db, [...MIGRATIONS, broken])).rejects.toMatchObject({ code: "STORE_FAILED" });
    await migrate(db, [...MIGRATIONS, MORE]);
    expect((await db.query("SELECT a FROM more")).rows).toEqual([{ a: 1 }]);
  });

  it("migrations refuse a database of a newer program", async () => {
    const db = await fresh();
    await migrate(db, [...MIGRATIONS, MORE]);
    await expect(migrate(db)).rejects.toMatchObject({
      kind: "usage",
      code: "STORE_TOO_NEW",
      message: `the database has tables of version ${MIGRATIONS.length + 1}, this program knows ${MIGRATIONS.length}`,
    });
  });
});
