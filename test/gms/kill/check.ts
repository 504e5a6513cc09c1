/** Checks what a group's members find in their documents, looked at in the database with no GMS running. */
import { expect } from "vitest";
import { computeGukId } from "../../../bindings/identity/guk-id.ts";
import { parseMessage } from "../../../bindings/mikey/index.ts";
import { type DatabaseOptions, openDatabase } from "../../../store/index.ts";
import { GROUP } from "../foreign/running-gms.ts";
import { makeWorld, type World } from "../memory-gms.ts";

export interface GroupState {
  /** Members by URI. */
  readonly members: ReadonlySet<string>;
  readonly gmks: number;
  /** Whether a rekey waits to be sealed. */
  readonly open: boolean;
}

async function onDatabase<T>(database: DatabaseOptions, work: (world: World) => Promise<T>): Promise<T> {
  const db = await openDatabase(database);
  try {
    const world = await makeWorld({ database: db, now: Date.now() });
    try {
      return await work(world);
    } finally {
      await world.close();
    }
  } finally {
    await db.close();
  }
}

export function groupState(database: DatabaseOptions): Promise<GroupState> {
  return onDatabase(database, async ({ store }) => {
    const members = await store.members(GROUP, { limit: 100_000 });
    const rekeys = await store.rekeys({ groupUri: GROUP, limit: 10 });
    return {
      members: new Set(members.map(({ uri }) => uri)),
      gmks: (await store.gmks(GROUP)).length,
      open: rekeys.some(({ state, sealedAt }) => state === "running" && sealedAt === undefined),
    };
  });
}

/**
 * Every member has one message, of the newest GMK, that opens (a sample) and has the GUK-ID of that member (all);
 * who is no member has none; no GMK was made but one for each of `changes` and the first.
 */
export function checkGroup(
  database: DatabaseOptions,
  removed: readonly string[],
  changes: number,
): Promise<void> {
  return onDatabase(database, async (world) => {
    const { store } = world;
    const gmks = await store.gmks(GROUP);
    expect(gmks).toHaveLength(1 + changes);
    const newest = gmks.reduce((a, b) => (a.id > b.id ? a : b));
    expect(gmks.filter(({ state }) => state === "live")).toEqual([newest]);
    const members = (await store.members(GROUP, { limit: 100_000 })).map(({ uri }) => uri);
    const csbIds = new Map<string, number>();
    const octetsOf = new Map<string, Uint8Array>();
    await inTurn(members, async (uri) => {
      const entries = await store.gktpOf(uri);
      expect(
        entries.map(({ kind, gmkId, memberUri }) => ({ kind, gmkId, memberUri })),
        uri,
      ).toEqual([{ kind: "distribute", gmkId: newest.gmkId, memberUri: uri }]);
      const { octets } = entries[0]!;
      csbIds.set(uri, parseMessage(octets).csbId);
      octetsOf.set(uri, octets);
    });
    for (const uri of removed) expect(await store.gktpOf(uri), uri).toEqual([]);
    const [rekey] = await store.rekeys({ groupUri: GROUP, limit: 1 });
    expect(rekey).toMatchObject({ gmkId: newest.gmkId, total: members.length });
    expect(rekey!.counts).toMatchObject({ planned: 0, superseded: 0 });
    let gmk: Uint8Array | undefined;
    for (let i = 0; i < 3; i++) {
      const uri = members[Math.floor(Math.random() * members.length)]!;
      const opened = await world.open(octetsOf.get(uri)!, uri);
      if (opened.outcome !== "accepted") throw new Error(`${uri}: no key`);
      const key = opened.key.reveal();
      expect(opened.key.keyId).toBe(newest.gmkId);
      expect(gmk ?? key).toEqual(key);
      gmk = key;
      opened.key.destroy();
    }
    for (const uri of members) expect(computeGukId(gmk!, newest.gmkId, uri), uri).toBe(csbIds.get(uri));
  });
}

/** A few at a time. */
async function inTurn<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const run = async () => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: 8 }, run));
}
