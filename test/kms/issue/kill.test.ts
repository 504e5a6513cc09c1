/**
 * kill -9 in the midst of issuing, again and again: nobody is left out, nobody gets two different keys, what was saved
 * stays, and the database opens again. `npm run test:kill` does it with 10,000 users; MIKEY_SAKKE_KILLS says how often.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DatabaseOptions, type IssuedKey, openDatabase } from "../../../store/index.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "../../support/postgres.ts";
import { type Issuing, startIssuing, type Told } from "./child.ts";
import { makeTestKms, NOW, openStore, PERIOD, users } from "./issuing.ts";

const LONG = process.env.MIKEY_SAKKE_LONG !== undefined;
const KILLS = Number(process.env.MIKEY_SAKKE_KILLS ?? (LONG ? 20 : 6));
const USERS = users(LONG ? 10_000 : 2_500);
const MINUTES = 60_000;

async function prepare(database: DatabaseOptions): Promise<void> {
  const db = await openDatabase(database);
  try {
    const store = await openStore(db);
    await makeTestKms(store);
    await store.enrol(USERS, NOW);
  } finally {
    await db.close();
  }
}

/** Keys that some process handed over, by user; two different ones of one user fail. */
class Delivered {
  readonly #digests = new Map<string, string>();

  add({ keys, errors }: Told): void {
    expect(errors).toBe("");
    for (const [uri, digest] of keys) {
      expect(this.#digests.get(uri) ?? digest, `second keys for ${uri}`).toBe(digest);
      this.#digests.set(uri, digest);
    }
  }

  get size(): number {
    return this.#digests.size;
  }

  /** Everybody has keys, those that were handed over, and the audit log has each once. */
  async check(database: DatabaseOptions): Promise<void> {
    const db = await openDatabase(database);
    try {
      const store = await openStore(db);
      const issued = await store.issuedFor(USERS.map((userUri) => ({ userUri, periodNo: PERIOD })));
      expect(issued.filter((key) => key === undefined)).toHaveLength(0);
      const digests = new Map(issued.map((key) => [key!.userUri, digestOf(key!)]));
      expect(new Set(digests.values()).size).toBe(USERS.length);
      for (const [uri, digest] of this.#digests) expect(digests.get(uri), uri).toBe(digest);
      const entries = await store.auditLog({ limit: 2 * USERS.length });
      expect(entries.filter(({ action }) => action === "issue")).toHaveLength(USERS.length);
      expect(new Set(entries.map(({ userUri }) => userUri)).size).toBe(USERS.length);
    } finally {
      await db.close();
    }
  }
}

function digestOf({ rsk, ssk, pvt }: IssuedKey): string {
  return createHash("sha256").update(rsk).update(ssk).update(pvt).digest("hex");
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Kills one process after the other: at work, mostly, and while it starts; the last one may end. */
async function killAgainAndAgain(database: DatabaseOptions): Promise<void> {
  const delivered = new Delivered();
  let saved = 0;
  let atWork = 0;
  let kills = 0;
  // A fast machine may have saved all before the last kill.
  for (; kills < KILLS && saved < USERS.length; kills++) {
    const deliver = kills % 2 === 0;
    const issuing = startIssuing(database, { deliver });
    if (kills % 5 === 4) await pause(1500 * Math.random());
    else {
      // Issuing that hands keys over passes all that are there already.
      await issuing.saved(deliver ? saved + 1 : 1);
      await pause(60 * Math.random());
    }
    issuing.kill();
    const told = await issuing.ended;
    delivered.add(told);
    if (told.failed !== undefined) throw new Error(`it failed: ${told.failed}`);
    if (told.saved > 0 && !told.finished) atWork++;
    saved = deliver ? Math.max(saved, told.saved) : saved + told.saved;
  }
  expect(atWork).toBeGreaterThanOrEqual(Math.max(1, Math.floor(kills / 2)));
  const last = await startIssuing(database, { deliver: true }).ended;
  expect(last).toMatchObject({ finished: true, saved: USERS.length });
  delivered.add(last);
  expect(delivered.size).toBe(USERS.length);
  await delivered.check(database);
}

describe("kill -9 of an issuing process on PGlite", () => {
  let folder = "";
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "kms-kill-"));
    await prepare({ folder });
  }, MINUTES);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("loses nobody and issues nothing twice", () => killAgainAndAgain({ folder }), 10 * MINUTES);
});

describeWithPostgres("kill -9 of an issuing process on PostgreSQL", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  }, MINUTES);
  afterAll(() => cluster.stop());

  const prepared = async (): Promise<DatabaseOptions> => {
    const database = { url: await cluster.createDatabase(), max: 4 };
    await prepare(database);
    return database;
  };

  it("loses nobody and issues nothing twice", async () => killAgainAndAgain(await prepared()), 10 * MINUTES);

  it(
    "loses nobody and issues nothing twice where two processes are at work and one is killed",
    async () => {
      const database = await prepared();
      const delivered = new Delivered();
      let other: Issuing | undefined;
      for (let kill = 0; kill < Math.min(KILLS, 5); kill++) {
        other ??= startIssuing(database, { deliver: true });
        const issuing = startIssuing(database, { deliver: true });
        await issuing.saved((USERS.length / 25) * (kill + 1));
        await pause(60 * Math.random());
        const victim = kill % 2 === 0 ? issuing : other;
        other = kill % 2 === 0 ? other : issuing;
        victim.kill();
        delivered.add(await victim.ended);
      }
      const last = await other!.ended;
      expect(last).toMatchObject({ finished: true, saved: USERS.length });
      delivered.add(last);
      await delivered.check(database);
    },
    10 * MINUTES,
  );

  it(
    "loses nobody and issues nothing twice where the database server is killed",
    async () => {
      const database = await prepared();
      const delivered = new Delivered();
      for (const count of [1, USERS.length / 5]) {
        const issuing = startIssuing(database, { deliver: true });
        await issuing.saved(count);
        await cluster.crash();
        const told = await issuing.ended;
        expect(told.failed).toMatch(/^transport /);
        delivered.add(told);
        await cluster.start();
      }
      const last = await startIssuing(database, { deliver: true }).ended;
      expect(last).toMatchObject({ finished: true, saved: USERS.length });
      delivered.add(last);
      await delivered.check(database);
    },
    10 * MINUTES,
  );
});
