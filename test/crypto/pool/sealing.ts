/**
 * A KMS and a GMS on the core of a pool, and what a test wants to know of sealed messages. The core has to be that of the
 * built package, which the pool's workers load, so test/support/world.ts, which loads the sources, does not serve here.
 */
import { expect } from "vitest";
import type { Core, KeySet, SealedMessage, SealPlan, SealRequest } from "../../../bindings/index.ts";
import type { Pool, PoolSealOptions } from "../../../bindings/pool/index.ts";
import { certificateOf, GMS, HOME_KMS, NOW } from "../../support/names.ts";
import { seededRandom } from "../../support/random.ts";
import { client, kms } from "./dist.ts";

export { AWAY_KMS as AWAY, HOME_KMS as HOME, NOW } from "../../support/names.ts";

export function poolKms(core: Core, kmsUri: string, seed = kmsUri) {
  const master = kms.KmsMaster.generate(core, seededRandom(seed));
  const certificate = certificateOf(kmsUri, master);
  const domain = client.KmsDomain.load(core, certificate);
  const keyPeriodNo = domain.keyPeriodNo(client.ntpSeconds(client.ntpFromUnixMs(NOW)));
  const keySet = (userUri: string): KeySet => {
    const uid = domain.uid(userUri, keyPeriodNo);
    return { kmsUri, userUri, uid, keyPeriodNo, ...master.issue(uid) };
  };
  return { master, certificate, domain, keySet };
}

export function poolWorld(core: Core) {
  const home = poolKms(core, HOME_KMS);
  const initiator = client.Initiator.load(home.domain, [home.keySet(GMS)]);
  return {
    ...home,
    initiator,
    keys: { initiator, domains: [home.domain] },
    plan: (request: Partial<SealRequest> = {}): SealPlan =>
      client.planSeal(
        { kind: "GMK", members: members(3), ...request },
        { initiator, random: seededRandom("plan"), now: NOW },
      ),
  };
}

export type PoolWorld = ReturnType<typeof poolWorld>;

export function members(count: number, name = "user") {
  return Array.from({ length: count }, (_, i) => ({ uri: `sip:${name}${i}@home.example` }));
}

export async function sealAll(
  pool: Pool,
  world: PoolWorld,
  plan: SealPlan,
  options?: PoolSealOptions,
): Promise<SealedMessage[]> {
  const all: SealedMessage[] = [];
  for await (const batch of pool.sealGroup(plan, world.keys, options)) all.push(...batch);
  return all;
}

/**
 * Without key parameters a message depends on its plan up to the signature: the pool's messages have to be those of
 * `sealSlice` there, and their signatures have to be good.
 */
export async function expectAsUnpooled(
  world: PoolWorld,
  plan: SealPlan,
  messages: readonly SealedMessage[],
  start = 0,
): Promise<void> {
  const { sealSlice, SIGNATURE_BYTES } = client;
  const expected = await sealSlice(plan, { ...world.keys, random: seededRandom("unpooled") }, start);
  expect(messages).toHaveLength(expected.length);
  const { uid } = world.initiator.keyAt(plan.time);
  messages.forEach((message, i) => {
    const { octets, ...fields } = expected[i]!;
    expect(message).toMatchObject(fields);
    const signed = message.octets.subarray(0, -SIGNATURE_BYTES);
    expect(Buffer.compare(signed, octets.subarray(0, -SIGNATURE_BYTES))).toBe(0);
    const signature = message.octets.subarray(-SIGNATURE_BYTES);
    expect(world.domain.authentication.verify(uid, signed, signature)).toBe(true);
  });
}
