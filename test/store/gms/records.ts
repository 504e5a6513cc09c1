/** Groups, keys and rekeys to store; their octets need not mean anything, as the store does no arithmetic. */
import { expect } from "vitest";
import { MikeySakkeError } from "../../../base/errors.ts";
import { defaultKeyParameters } from "../../../bindings/index.ts";
import { Envelope } from "../../../store/database/envelope.ts";
import type { Database } from "../../../store/database/sql.ts";
import { GmsStore } from "../../../store/gms/gms-store.ts";
import type { GmsTransaction } from "../../../store/gms/gms-transaction.ts";
import type {
  ClaimedChunk,
  GmkRecord,
  GroupSettings,
  MemberRecord,
  NewGmk,
  NewRekey,
  SealedRow,
} from "../../../store/gms/records.ts";
import { NOW } from "../../support/names.ts";
import { seededRandom } from "../../support/random.ts";

export const KEK = seededRandom("store key")(32);
export const GMS_URI = "sip:gms@home.example";
export const G1 = "sip:g1@home.example";
export const G2 = "sip:g2@home.example";
export { NOW } from "../../support/names.ts";
export const LEASE = 15_000;

/** The database's clock of all stores that are opened here; `at`, `claimant` and `sealAll` turn it. */
const clock = { now: NOW };

export async function openStore(db: Database): Promise<GmsStore> {
  clock.now = NOW;
  return GmsStore.open(db, await Envelope.open(db, KEK), { now: () => clock.now });
}

/** The store at that time. */
export function at(now: number, store: GmsStore): GmsStore {
  clock.now = now;
  return store;
}

/** Members have come to a process, which lives until then. */
export async function present(
  store: GmsStore,
  instance: string,
  uris: readonly string[],
  until: number,
): Promise<void> {
  await store.renewLease(instance, until - clock.now);
  await store.present(instance, uris);
}

export function settings(changes: Partial<GroupSettings> = {}): GroupSettings {
  return {
    displayName: "Group",
    services: ["mcptt"],
    managers: [],
    unprotected: [],
    rekeyOnAdd: true,
    ...changes,
  };
}

export function members(count: number, first = 0): MemberRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    uri: `sip:user${String(first + i).padStart(6, "0")}@home.example`,
    kmsUri: "kms.home.example",
    kind: "user" as const,
  }));
}

export const urisOf = (list: readonly { readonly uri: string }[]) => list.map(({ uri }) => uri);

export function newGmk(gmkId: number, changes: Partial<NewGmk> = {}): NewGmk {
  const random = seededRandom(`gmk ${gmkId}`);
  return {
    gmkId,
    key: random(16),
    rand: random(16),
    groups: [G1],
    activation: NOW,
    expiry: undefined,
    text: "",
    ...changes,
  };
}

/** A rekey of these members with T from the store. */
export async function planned(
  tx: GmsTransaction,
  gmk: GmkRecord,
  who: readonly MemberRecord[],
  changes: Partial<NewRekey> = {},
): Promise<number> {
  return tx.insertRekey({
    kind: "distribute",
    gmk: gmk.id,
    cause: "on demand",
    actor: "operator",
    time: await tx.reserveTimes(GMS_URI, Math.max(who.length, 1)),
    members: who.map((m) => ({ ...m, csbId: gukId(m.uri) })),
    parameters: defaultKeyParameters("GMK"),
    chunkSize: 4,
    now: NOW,
    ...changes,
  });
}

/** Different for different users. */
export function gukId(uri: string): number {
  return 1000 + Number(/\d+/.exec(uri)![0]);
}

/** A group of users with its first GMK on the way to them. */
export function started(
  store: GmsStore,
  options: {
    groupUri?: string;
    gmkId?: number;
    who: readonly MemberRecord[];
    chunkSize?: number;
    now?: number;
  },
): Promise<{ gmk: GmkRecord; rekey: number }> {
  const { groupUri = G1, gmkId = 1, who, chunkSize = 4, now = NOW } = options;
  return store.change(async (tx) => {
    await tx.insertGroup(groupUri, settings(), now);
    await tx.insertMembers(groupUri, who, now);
    const gmk = await tx.insertGmk(newGmk(gmkId, { groups: [groupUri] }), now);
    return { gmk, rekey: await planned(tx, gmk, who, { chunkSize, now }) };
  });
}

export function messages(claim: ClaimedChunk): SealedRow[] {
  return claim.members.map(({ uri }) => ({ uri, octets: messageOf(claim.rekey, uri) }));
}

export function messageOf(rekey: number, uri: string): Uint8Array {
  return seededRandom(`message ${rekey} ${uri}`)(700);
}

/** A process that claims at that time. */
export function claimant(instance: string, now = NOW): { instance: string; leaseMs: number } {
  clock.now = now;
  return { instance, leaseMs: LEASE };
}

/** Seals all that is planned; how many chunks. */
export async function sealAll(store: GmsStore, now = NOW): Promise<number> {
  for (let chunks = 0; ; chunks++) {
    const claim = await store.claimChunk(claimant("sealer", now));
    if (claim === undefined) return chunks;
    expect(await store.saveChunk(claim, messages(claim))).toBe(true);
  }
}

export async function stateOf(
  store: GmsStore,
  rekey: number,
  memberUri: string,
): Promise<string | undefined> {
  const all = await store.deliveries(rekey, { limit: 1000 });
  return all.find((one) => one.memberUri === memberUri)?.state;
}

export const codeOf = (error: unknown) => (error instanceof MikeySakkeError ? error.code : String(error));

/** The code of the usage error that it fails with. */
export async function refused(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  return error instanceof MikeySakkeError && error.kind === "usage" ? error.code : `no usage error: ${error}`;
}
