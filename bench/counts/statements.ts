/** SQL statements of a rekey, counted at the store's port, from the operator's call to the members' answers. */
import { operator } from "../../roles/gms/common/caller.ts";
import { type Database, GmsStore, type Sql } from "../../store/index.ts";
import { acknowledge, makeCore, makeWorld, newMembers, until } from "../../test/gms/memory-gms.ts";
import { emptyPglite } from "../../test/support/empty-pglite.ts";

/** Statements by what they are for. */
export type Statements = Readonly<Record<StatementName, number>>;
type StatementName =
  | "rekey of one chunk planned"
  | "each further chunk planned"
  | "chunk claimed, sealed, saved"
  | "batch of messages claimed"
  | "batch of answers recorded";

const OPERATOR = operator("operator");
const SMALL = "sip:small@home.example";
const LARGE = "sip:large@home.example";
/** Members enough to tell a statement for each chunk from one for each member. */
const CHUNK = 16;
/** Chunks of the large group; the small one has one. */
const CHUNKS = 3;
const CLAIMANT = { instance: "gms-1", leaseMs: 15_000 };

export async function countStatements(): Promise<Statements> {
  const plain = await emptyPglite();
  const { database, take } = counting(plain);
  // One chunk at a time: then no claim depends on which of two is faster.
  const limits = { chunkSize: CHUNK, chunksInFlight: 1 };
  const world = await makeWorld({ database, config: { limits } });
  // Looks whether all is sealed without being counted.
  const watch = GmsStore.open(plain, world.envelope, { now: world.now });
  const core = makeCore(world);
  const { admin } = core.context;

  async function sealed(rekey: number): Promise<number> {
    take();
    core.sealer.start();
    await until(core, async () => (await watch.rekey(rekey))?.sealedAt !== undefined);
    await core.sealer.stop();
    return take();
  }

  async function rekeyOf(uri: string): Promise<{ id: number; planned: number; sealed: number }> {
    take();
    const { id } = await admin.rekey(OPERATOR, uri);
    const planned = take();
    return { id, planned, sealed: await sealed(id) };
  }

  for (const [uri, chunks] of [[SMALL, 1] as const, [LARGE, CHUNKS] as const]) {
    const members = newMembers(chunks * CHUNK);
    const { rekeys } = await admin.createGroup(OPERATOR, { uri, members });
    await sealed(rekeys[0]!.id);
    await acknowledge({ store: watch }, rekeys[0]!.id);
  }
  const small = await rekeyOf(SMALL);
  const large = await rekeyOf(LARGE);
  const more = (a: number, b: number) => (b - a) / (CHUNKS - 1);

  await watch.renewLease(CLAIMANT.instance, CLAIMANT.leaseMs);
  await watch.present(
    CLAIMANT.instance,
    newMembers(CHUNK).map(({ uri }) => uri),
  );
  take();
  const claims = await world.store.claimDeliveries({ ...CLAIMANT, limit: CHUNK });
  const claimed = take();
  await world.store.record(claims.map((claim) => ({ ...claim, state: "acknowledged" as const })));
  const recorded = take();
  await world.close();
  if (claims.length !== CHUNK) throw new Error(`${claims.length} messages claimed, not ${CHUNK}`);
  return {
    "rekey of one chunk planned": small.planned,
    "each further chunk planned": more(small.planned, large.planned),
    "chunk claimed, sealed, saved": more(small.sealed, large.sealed),
    "batch of messages claimed": claimed,
    "batch of answers recorded": recorded,
  };
}

/** A database that counts what it is asked; `take` gives the count since the last call. */
function counting(db: Database): { database: Database; take: () => number } {
  let count = 0;
  const counted = (sql: Sql): Sql => ({
    query(text, params) {
      count++;
      return sql.query(text, params);
    },
  });
  return {
    database: {
      kind: db.kind,
      ...counted(db),
      transaction: (work, options) => db.transaction((sql) => work(counted(sql)), options),
      close: () => db.close(),
    },
    take() {
      const taken = count;
      count = 0;
      return taken;
    },
  };
}
