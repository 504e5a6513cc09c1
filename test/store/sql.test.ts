/** The SQL port: what goes in comes out the same on both databases, and failures have names. */
import { expect, it } from "vitest";
import { MikeySakkeError } from "../../base/errors.ts";
import { onEachDatabase } from "../support/databases.ts";

onEachDatabase("the SQL port", ({ fresh }) => {
  it("SQL gives octets, numbers, texts, truth values and data as they were passed in", async () => {
    const db = await fresh();
    await db.query("CREATE TABLE t (a bytea, b bigint, c text, d boolean, e jsonb, f integer)");
    const octets = Uint8Array.of(0, 1, 0x5c, 0x22, 0xff);
    const text = `"quotes", \\ {braces}, NULL, ü and 🔑`;
    await db.query("INSERT INTO t VALUES ($1, $2, $3, $4, $5::jsonb, $6)", [
      octets,
      Number.MAX_SAFE_INTEGER,
      text,
      true,
      JSON.stringify({ deep: [1, text] }),
      -1,
    ]);
    const { rows } = await db.query("SELECT * FROM t");
    expect(rows).toEqual([
      { a: octets, b: Number.MAX_SAFE_INTEGER, c: text, d: true, e: { deep: [1, text] }, f: -1 },
    ]);
    expect((rows[0]!.a as object).constructor).toBe(Uint8Array);
  });

  it("SQL takes arrays for unnest, with nulls, views of buffers and texts that look like arrays", async () => {
    const db = await fresh();
    const view = Buffer.from("..octets..").subarray(2, 8);
    const { rows } = await db.query(
      "SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[]) WITH ORDINALITY AS t (a, b, c, n) ORDER BY n",
      [
        ["{a,b}", null, `"\\`],
        [view, null, new Uint8Array(0)],
        [1, null, -1],
      ],
    );
    expect(rows).toEqual([
      { a: "{a,b}", b: new Uint8Array(view), c: 1, n: 1 },
      { a: null, b: null, c: null, n: 2 },
      { a: `"\\`, b: new Uint8Array(0), c: -1, n: 3 },
    ]);
  });

  it("SQL takes empty arrays for unnest", async () => {
    const db = await fresh();
    const { rows } = await db.query("SELECT * FROM unnest($1::text[], $2::bytea[]) AS t (a, b)", [[], []]);
    expect(rows).toEqual([]);
  });

  it("SQL counts the rows that were written, not those of parts of the statement", async () => {
    const db = await fresh();
    await db.query("CREATE TABLE t (a integer PRIMARY KEY)");
    const insert = "INSERT INTO t SELECT unnest($1::integer[]) ON CONFLICT DO NOTHING";
    expect((await db.query(insert, [[1, 2, 3]])).affected).toBe(3);
    expect((await db.query(insert, [[3, 4]])).affected).toBe(1);
    const moved = `WITH gone AS (DELETE FROM t RETURNING a) INSERT INTO t SELECT a + 10 FROM gone WHERE a < 3`;
    expect((await db.query(moved)).affected).toBe(2);
  });

  it("a transaction is rolled back when its work throws, and the error is passed on", async () => {
    const db = await fresh();
    await db.query("CREATE TABLE t (a integer)");
    const mine = new MikeySakkeError("usage", "BAD_OPTION", "mine");
    const failing = db.transaction(async (sql) => {
      await sql.query("INSERT INTO t VALUES (1)");
      throw mine;
    });
    await expect(failing).rejects.toBe(mine);
    expect((await db.query("SELECT * FROM t")).rows).toEqual([]);
    expect(await db.transaction(async (sql) => (await sql.query("INSERT INTO t VALUES (2)")).affected)).toBe(
      1,
    );
    expect((await db.query("SELECT a FROM t")).rows).toEqual([{ a: 2 }]);
  });

  it("a transaction whose work swallowed an error does not count as done", async () => {
    const db = await fresh();
    await db.query("CREATE TABLE t (a integer PRIMARY KEY)");
    const swallowing = db.transaction(async (sql) => {
      await sql.query("INSERT INTO t VALUES (1)");
      await sql.query("INSERT INTO t VALUES (1)").catch(() => {});
    });
    await expect(swallowing).rejects.toMatchObject({ kind: "transport", code: "STORE_FAILED" });
    expect((await db.query("SELECT * FROM t")).rows).toEqual([]);
  });

  it("an SQL error names what cannot be stored, and leaves the parameters out", async () => {
    const db = await fresh();
    await db.query("CREATE TABLE t (a text PRIMARY KEY)");
    const failures = [
      () => db.query("INSERT INTO t VALUES ($1)", ["nul \0 in sip:alice"]),
      () => db.query("INSERT INTO t VALUES ($1), ($1)", ["sip:alice"]),
    ];
    for (const failure of failures) {
      const error: MikeySakkeError = await failure().then(
        () => expect.fail("was stored"),
        (e) => e,
      );
      expect(error).toMatchObject({ name: "MikeySakkeError", kind: "usage", code: "STORE_VALUE" });
      expect(error.cause).toBeUndefined();
      expect(JSON.stringify(error) + error.message).not.toContain("sip:alice");
    }
    await expect(db.query("SELECT nothing FROM nowhere")).rejects.toMatchObject({ code: "STORE_FAILED" });
  });
});
