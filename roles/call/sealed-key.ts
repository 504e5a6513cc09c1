/** A key that a client draws and seals to one other: a CSK to its server (TS 33.180 5.4), a PCK to a user (5.6). */

import type { RandomSource } from "../../base/random.ts";
import { DeliveredKey, destroyPlan, type Member, sealMessage } from "../../bindings/index.ts";
import type { ClientKeys } from "../identity/load-keys.ts";

export interface SealedKey {
  readonly key: DeliveredKey;
  /** The I_MESSAGE. */
  readonly octets: Uint8Array;
}

/** `now`: milliseconds since the Unix epoch. Errors as `sealMessage`. */
export async function sealNewKey(
  kind: "CSK" | "PCK",
  to: Member,
  { initiator, domains }: Pick<ClientKeys, "initiator" | "domains">,
  { random, now }: { readonly random: RandomSource; readonly now: number },
): Promise<SealedKey> {
  const request = { kind, members: [to] };
  const { plan, messages } = await sealMessage(request, { initiator, domains, random }, now);
  const { keyId, rand } = plan;
  const key = new DeliveredKey(plan.key.slice(), { kind, keyId, ukId: keyId, rand });
  destroyPlan(plan);
  return { key, octets: messages[0]!.octets };
}
