/** Two KMSs in memory, a GMS with keys, members with theirs, a database, and a clock that tests turn. */
import { defined } from "../../base/defined.ts";
import type { Core } from "../../bindings/core/core.ts";
import { Initiator } from "../../bindings/identity/initiator.ts";
import { ntpFromUnixMs, ntpSeconds, ntpSecondsToUnixMs } from "../../bindings/identity/ntp.ts";
import { Receiver } from "../../bindings/identity/receiver.ts";
import {
  MemoryReceiverState,
  type OpenContext,
  type OpenedMessage,
  openMessage,
} from "../../bindings/mikey/index.ts";
import { createPool, type Pool } from "../../bindings/pool/index.ts";
import { type GmsConfig, type GmsConfigInput, parseGmsConfig } from "../../roles/gms/common/config.ts";
import type { GmsKeys } from "../../roles/gms/common/ports.ts";
import { type ContextOptions, createCore, type GmsCore } from "../../roles/gms/context.ts";
import type { ClientKeys } from "../../roles/identity/index.ts";
import { GmsStore } from "../../store/gms/gms-store.ts";
import { type Database, Envelope } from "../../store/index.ts";
import { emptyPglite } from "../support/empty-pglite.ts";
import {
  AWAY_KMS,
  GMS,
  HOME_KMS,
  keysFrom,
  makeKms,
  NOW,
  STORE_KEY,
  sharedCore,
  type TestKms,
} from "../support/world.ts";

export { AWAY_KMS, GMS as GMS_URI, HOME_KMS, makeKms, NOW, STORE_KEY, sharedCore, type TestKms };

export const PERIOD_SECONDS = 2592000;

/** First millisecond after the key period of a time. */
export function periodEnd(now: number): number {
  const seconds = ntpSeconds(ntpFromUnixMs(now));
  return ntpSecondsToUnixMs((Math.floor(seconds / PERIOD_SECONDS) + 1) * PERIOD_SECONDS);
}

export const memberUri = (i: number): string => `sip:user${String(i).padStart(5, "0")}@home.example`;
export const memberUris = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => memberUri(from + i));
/** The same members in the form of `NewMember`. */
export const newMembers = (count: number, from = 0): { uri: string }[] =>
  memberUris(count, from).map((uri) => ({ uri }));

export interface TestMember {
  readonly uri: string;
  readonly keys: ClientKeys;
}

export interface WorldOptions {
  /** Users have prepared keys, of the present period only, so that many of them can share one processor. */
  readonly prepared?: boolean;
  /** Empty, with its tables; `emptyPglite` when absent. It stays the caller's. */
  readonly database?: Database;
  /** Members whose keys are made at once; others are when they are asked for. */
  readonly members?: number;
  /** Workers of a pool, from dist/. None when absent. */
  readonly workers?: number;
  readonly now?: number;
  /** Time of the store, where it is another than the world's clock; "database": that of the database itself. */
  readonly storeTime?: "database" | (() => number);
  readonly config?: Partial<GmsConfigInput>;
  /** KMSs that a redirect may lead to. */
  readonly permitted?: readonly string[];
}

export interface World {
  readonly core: Core;
  readonly pool: Pool | undefined;
  readonly home: TestKms;
  readonly away: TestKms;
  readonly db: Database;
  readonly envelope: Envelope;
  readonly store: GmsStore;
  readonly config: GmsConfig;
  readonly keys: GmsKeys;
  /** Turned by tests. */
  readonly clock: { now: number };
  readonly now: () => number;
  /** By number or URI. `kmsUri` is the home KMS's when absent. Keys of the clock's key period, the one before and the next. */
  member(who: number | string, kmsUri?: string): TestMember;
  /** Opens a message as a member does who fetched it, with nothing seen before. */
  open(
    octets: Uint8Array,
    who: number | string,
    options?: Partial<OpenContext> & { kmsUri?: string },
  ): Promise<OpenedMessage>;
  close(): Promise<void>;
}

/** Keys that stay as they are, and a Home KMS that permits what is in `permitted`. */
export function staticKeys(
  core: Core,
  keys: ClientKeys | (() => ClientKeys),
  permitted: readonly string[] = [],
): GmsKeys {
  return {
    core,
    current: typeof keys === "function" ? keys : () => keys,
    redirect: async (proposed) => proposed.filter((uri) => permitted.includes(uri)),
    refresh: async () => undefined,
  };
}

/** A second one on the same database is another process, so to say: its KMSs and keys are the same. */
export async function makeWorld(options: WorldOptions = {}): Promise<World> {
  const { workers = 0, members = 0, permitted = [], prepared = false, storeTime = () => clock.now } = options;
  const workerUrl = new URL("../../dist/bindings/pool/worker.js", import.meta.url);
  const pool = workers > 0 ? await createPool({ workers, workerUrl }) : undefined;
  const core = pool?.core ?? (await sharedCore());
  const db = options.database ?? (await emptyPglite());
  const envelope = await Envelope.open(db, STORE_KEY);
  const clock = { now: options.now ?? NOW };
  const [home, away] = [makeKms(core, HOME_KMS), makeKms(core, AWAY_KMS)];
  const domains = [home.domain, away.domain];
  const made = new Map<string, ClientKeys>();

  function keysOf(uri: string, kmsUri = HOME_KMS): ClientKeys {
    const name = `${kmsUri} ${uri} ${periodEnd(clock.now)}`;
    const found = made.get(name);
    if (found !== undefined) return found;
    const kms = kmsUri === AWAY_KMS ? away : home;
    const times = [clock.now - PERIOD_SECONDS * 1000, clock.now, periodEnd(clock.now)];
    const sets = times.map((time) => kms.keySet(uri, time));
    const initiator = Initiator.load(kms.domain, sets);
    const receiver = prepared
      ? Receiver.load(domains, sets.slice(1, 2), { prepare: true })
      : Receiver.load(domains, sets);
    const keys = keysFrom(domains, initiator, receiver);
    made.set(name, keys);
    return keys;
  }

  const member = (who: number | string, kmsUri?: string): TestMember => {
    const uri = typeof who === "number" ? memberUri(who) : who;
    return { uri, keys: keysOf(uri, kmsUri) };
  };
  for (let i = 0; i < members; i++) member(i);

  return {
    core,
    pool,
    home,
    away,
    db,
    envelope,
    store: GmsStore.open(db, envelope, storeTime === "database" ? {} : { now: storeTime }),
    config: parseGmsConfig({ gmsUri: GMS, kmsUri: HOME_KMS, ...options.config }),
    keys: staticKeys(core, () => keysOf(GMS), permitted),
    clock,
    now: () => clock.now,
    member,
    open(octets, who, { kmsUri, ...more } = {}) {
      return openMessage(octets, {
        receiver: member(who, kmsUri).keys.receiver,
        state: new MemoryReceiverState(),
        now: clock.now,
        allow: ["GMK"],
        authorise: ({ uri }) => uri === GMS,
        delivery: "stored",
        ...more,
      });
    },
    async close() {
      for (const keys of made.values()) keys.destroy();
      for (const domain of domains) domain.destroy();
      envelope.destroy();
      await pool?.destroy();
    },
  };
}

/** The GMS of a world, without listeners; nothing runs before it is started. */
export function makeCore(world: World, options: Partial<ContextOptions> = {}): GmsCore {
  const { config, store, keys, now, pool } = world;
  return createCore({ config, store, keys, now, instance: "gms-1", ...defined({ pool }), ...options });
}

/** Resolves when `done` holds; it is asked at first and whenever a rekey moves on. */
export async function until({ context }: GmsCore, done: () => Promise<boolean>): Promise<void> {
  let resolve = () => {};
  const off = context.on({ rekeyProgress: () => resolve() });
  try {
    for (;;) {
      const moved = new Promise<void>((settle) => {
        resolve = settle;
      });
      if (await done()) return;
      await moved;
    }
  } finally {
    off();
  }
}

/** Seals all that is planned, with the sealer of this process. */
export async function sealAll(core: GmsCore): Promise<void> {
  const { store } = core.context;
  const isSealed = async () =>
    (await store.rekeys({ limit: 1000 })).every((r) => r.state !== "running" || r.sealedAt !== undefined);
  core.sealer.start();
  await until(core, isSealed);
  await core.sealer.stop();
}

/** Answers as members would, for all messages of a rekey or those of some. */
export async function acknowledge(
  { store }: Pick<World, "store">,
  rekey: number,
  memberUris?: readonly string[],
): Promise<void> {
  const uris = memberUris ?? (await store.deliveries(rekey, { limit: 1000 })).map((d) => d.memberUri);
  await store.record(uris.map((memberUri) => ({ rekey, memberUri, state: "acknowledged" as const })));
}
