/** The parties of the vectors: a KMS with a GMS and members, another KMS, all drawn from seeds. */
import { load } from "../../bindings/core/core.ts";
import { Initiator } from "../../bindings/identity/initiator.ts";
import type { KeySet, KmsCertificate } from "../../bindings/identity/kms-material.ts";
import type { SealRequest } from "../../bindings/mikey/plan.ts";
import { sealMessage } from "../../bindings/mikey/seal.ts";
import { writeKmsCertificate, writeKmsKeySet } from "../../documents/kms-xml/index.ts";
import { seededRandom } from "../../test/support/random.ts";
import { ALICE, AWAY_KMS, BOB, DAY_MS, GMS, HOME_KMS, makeKms, NOW } from "../../test/support/world.ts";

export async function vectorWorld() {
  const core = await load();
  const home = makeKms(core, HOME_KMS);
  const away = makeKms(core, AWAY_KMS);
  const gms = Initiator.load(home.domain, [home.keySet(GMS)]);
  const stranger = Initiator.load(home.domain, [home.keySet(BOB)]);
  /** The octets of one message, drawn from its name. */
  const seal = async (name: string, request: Partial<SealRequest> = {}, at = NOW) => {
    const keys = { initiator: gms, domains: [home.domain], random: seededRandom(`vector ${name}`) };
    const full: SealRequest = { kind: "GMK", members: [{ uri: ALICE }], parameters: {}, ...request };
    return (await sealMessage(full, keys, at)).messages[0]!;
  };
  return { core, home, away, gms, stranger, seal };
}

export type VectorWorld = Awaited<ReturnType<typeof vectorWorld>>;

/** Returns the set-up of a receiver, as documents. */
export function setUp(certificates: readonly KmsCertificate[], keySets: readonly KeySet[]) {
  return {
    certificates: certificates.map((certificate) => writeKmsCertificate(certificate)),
    keySets: keySets.map((keySet) => writeKmsKeySet(keySet)),
  };
}

export { ALICE, AWAY_KMS, BOB, DAY_MS, GMS, HOME_KMS, NOW };
