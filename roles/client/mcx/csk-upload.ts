/** A new CSK for a server (TS 33.180 5.4): encrypted to its identity, signed by the user. */

import type { RandomSource } from "../../../base/random.ts";
import { DeliveredKey, destroyPlan, sealMessage } from "../../../bindings/index.ts";
import type { ClientKeys } from "../../identity/load-keys.ts";

export interface SealedCsk {
  readonly key: DeliveredKey;
  readonly octets: Uint8Array;
}

export async function sealCsk(
  { initiator, domains }: ClientKeys,
  mcxUri: string,
  { random, now }: { readonly random: RandomSource; readonly now: number },
): Promise<SealedCsk> {
  const request = { kind: "CSK", members: [{ uri: mcxUri }] } as const;
  const { plan, messages } = await sealMessage(request, { initiator, domains, random }, now);
  const { keyId, rand } = plan;
  const key = new DeliveredKey(plan.key.slice(), { kind: "CSK", keyId, ukId: keyId, rand });
  destroyPlan(plan);
  return { key, octets: messages[0]!.octets };
}
