/** Wrong messages of the world of `domain.ts`, at its time and with its own randomness. */
import type { Initiator } from "../../bindings/identity/initiator.ts";
import * as forge from "../../cli/check/forge.ts";
import { seededRandom } from "./random.ts";
import { NOW } from "./world.ts";

export { type Edit, edited, type MessageDraft, replace } from "../../cli/check/forge.ts";

const signing = (initiator: Initiator, at: number) => ({ initiator, at, random: seededRandom("forge") });

export function resigned(octets: Uint8Array, initiator: Initiator, edit: forge.Edit, atMs = NOW): Uint8Array {
  return forge.signedAgain(octets, edit, signing(initiator, atMs));
}

export function signedWithoutHeader(octets: Uint8Array, initiator: Initiator, atMs = NOW): Uint8Array {
  return forge.signedWithoutHeader(octets, signing(initiator, atMs));
}
