/** A GMS that seals for a user, and what the user's client needs to open. */
import type { Core } from "../../../bindings/core/core.ts";
import {
  groupIds,
  Initiator,
  type KeyParameters,
  type SealRequest,
  sealMessage,
} from "../../../bindings/index.ts";
import type { Gmk, Sealed } from "../../../cli/check/client/peer.ts";
import {
  GroupKeyRing,
  type TakeContext,
  type TakenMessage,
  takeMessage,
} from "../../../roles/group-keys/index.ts";
import {
  type ClientKeys,
  MemoryStorage,
  SealedStorage,
  type SecretStorage,
  StorageKey,
} from "../../../roles/identity/index.ts";
import { seededRandom } from "../../support/random.ts";
import {
  ALICE,
  clientKeys,
  GMS,
  GROUP,
  HOME_KMS,
  makeKms,
  NOW,
  OTHER_GROUP,
  sharedCore,
  type TestKms,
} from "../../support/world.ts";

export { ALICE, AWAY_KMS, BOB, DAY_MS, GMS, GROUP, HOME_KMS, NOW, OTHER_GROUP } from "../../support/names.ts";
export type { Gmk, Sealed };
export const FOREIGN_GROUP = "sip:police@home.example";
export const SECOND = 1000;

export interface SealChanges extends Partial<Omit<SealRequest, "parameters">> {
  readonly to?: string;
  readonly groups?: readonly string[];
  readonly parameters?: Partial<KeyParameters> | null;
  readonly initiator?: Initiator;
  readonly at?: number;
}

export interface GroupWorld {
  readonly core: Core;
  readonly home: TestKms;
  readonly gms: Initiator;
  /** Another server of the domain, which is no GMS of Alice's. */
  readonly stranger: Initiator;
  readonly alice: ClientKeys;
  seal(changes?: SealChanges): Promise<Sealed>;
}

export async function makeGroupWorld(): Promise<GroupWorld> {
  const core = await sharedCore();
  const home = makeKms(core, HOME_KMS);
  const gms = Initiator.load(home.domain, [home.keySet(GMS)]);
  const stranger = Initiator.load(home.domain, [home.keySet("sip:other@home.example")]);
  const random = seededRandom("group world");
  return {
    core,
    home,
    gms,
    stranger,
    alice: clientKeys(home, ALICE),
    async seal({ to = ALICE, groups = [GROUP], parameters = {}, initiator = gms, at = NOW, ...rest } = {}) {
      const named = parameters && { parameters: { groups: groupIds(groups), ...parameters } };
      const request: SealRequest = { kind: "GMK", members: [{ uri: to }], ...named, ...rest };
      const { plan, messages } = await sealMessage(request, { initiator, domains: [], random }, at);
      const { key, keyId, rand } = plan;
      return { octets: messages[0]!.octets, gmk: { key, keyId, rand } };
    },
  };
}

/** A device of Alice: sealed storage, a ring on it, and a clock. */
export class Device {
  /** The T of messages never go back, so those of a test go on after those of the test before. */
  now = NOW + 60 * SECOND;
  readonly world: GroupWorld;
  /** The storage that outlives a restart. */
  readonly disk: SecretStorage;
  ring!: GroupKeyRing;
  readonly #key: StorageKey;
  readonly changes: string[] = [];

  private constructor(world: GroupWorld, disk: SecretStorage, key: StorageKey) {
    this.world = world;
    this.disk = disk;
    this.#key = key;
  }

  static async create(world: GroupWorld, disk: SecretStorage = new MemoryStorage()): Promise<Device> {
    const device = new Device(world, disk, await StorageKey.generate());
    await device.restart();
    return device;
  }

  get storage(): SecretStorage {
    return new SealedStorage(this.disk, this.#key);
  }

  /** The process ends, and another one begins on the same disk. */
  async restart(options: { maxRecords?: number } = {}): Promise<void> {
    this.ring?.close();
    this.ring = await GroupKeyRing.open(this.storage, { userUri: ALICE, now: () => this.now, ...options });
    this.ring.onChange(({ type }) => this.changes.push(type));
  }

  take(octets: Uint8Array, changes: Partial<TakeContext> = {}): Promise<TakenMessage> {
    return takeMessage(octets, {
      ring: this.ring,
      keys: this.world.alice,
      gms: { uri: GMS, kmsUri: HOME_KMS },
      expectsGroup: (uri) => uri === GROUP || uri === OTHER_GROUP,
      now: this.now,
      ...changes,
    });
  }
}

/** "stored", or "41 BAD_SIGNATURE" for what was refused. */
export function summary(taken: TakenMessage): string {
  return taken.outcome === "refused" ? `${taken.error.check} ${taken.error.code}` : taken.outcome;
}

/** A disk that breaks: the n-th put from now throws, either before or after it has written. */
export class BreakingStorage extends MemoryStorage {
  breakAt = Number.POSITIVE_INFINITY;
  writes = true;
  puts = 0;

  override async put(name: string, octets: Uint8Array): Promise<void> {
    this.puts++;
    const breaks = this.puts >= this.breakAt;
    if (!breaks || this.writes) await super.put(name, octets);
    if (breaks) throw new Error("the disk is gone");
  }
}
