/** Messages that a conformant sender would not make, with a signature that verifies where one is asked for. */
import { concat } from "../../base/bytes.ts";
import type { RandomSource } from "../../base/random.ts";
import type { Initiator } from "../../bindings/identity/initiator.ts";
import { ntpFromUnixMs } from "../../bindings/identity/ntp.ts";
import type { Hdr } from "../../bindings/mikey/hdr.ts";
import {
  type ChainPayload,
  decodeMessage,
  encodeMessage,
  encodeUnsigned,
} from "../../bindings/mikey/message.ts";
import { eccsiSignHeader, SIGN_HEADER_BYTES } from "../../bindings/mikey/sign.ts";

export interface MessageDraft {
  hdr: Hdr;
  /** Without SIGN. */
  payloads: ChainPayload[];
}

export type Edit = (draft: MessageDraft) => void;

/** The identity that signs, and the time whose keys it uses. */
export interface Signing {
  readonly initiator: Initiator;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly random: RandomSource;
}

function draftOf(octets: Uint8Array): { draft: MessageDraft; sign: ChainPayload } {
  const { hdr, payloads } = decodeMessage(octets);
  const chain = payloads as ChainPayload[];
  return { draft: { hdr, payloads: chain.slice(0, -1) }, sign: chain.at(-1)! };
}

/** Edits payloads and keeps the old signature: enough for everything that is checked before it. */
export function edited(octets: Uint8Array, edit: Edit): Uint8Array {
  const { draft, sign } = draftOf(octets);
  edit(draft);
  return encodeMessage(draft.hdr, [...draft.payloads, sign]);
}

/** Edits payloads and signs again, as a dishonest or faulty initiator could. */
export function signedAgain(octets: Uint8Array, edit: Edit, { initiator, at, random }: Signing): Uint8Array {
  const { draft } = draftOf(octets);
  edit(draft);
  const unsigned = encodeUnsigned(draft.hdr, draft.payloads, eccsiSignHeader());
  const { signer } = initiator.keyAt(ntpFromUnixMs(at));
  return concat(unsigned, signer.sign(unsigned, random));
}

/** Signs without the two octets of the SIGN header, as some products do. */
export function signedWithoutHeader(octets: Uint8Array, { initiator, at, random }: Signing): Uint8Array {
  const { draft } = draftOf(octets);
  const unsigned = encodeUnsigned(draft.hdr, draft.payloads, eccsiSignHeader());
  const { signer } = initiator.keyAt(ntpFromUnixMs(at));
  const covered = unsigned.subarray(0, unsigned.length - SIGN_HEADER_BYTES);
  return concat(unsigned, signer.sign(covered, random));
}

/** Replaces the first payload of a name. */
export function replace<K extends ChainPayload["payload"]>(
  draft: MessageDraft,
  name: K,
  change: (payload: Extract<ChainPayload, { payload: K }>) => ChainPayload,
  which: (payload: Extract<ChainPayload, { payload: K }>) => boolean = () => true,
): void {
  type P = Extract<ChainPayload, { payload: K }>;
  const index = draft.payloads.findIndex((p) => p.payload === name && which(p as P));
  if (index < 0) throw new Error(`no ${name} to replace`);
  draft.payloads[index] = change(draft.payloads[index] as P);
}

/** A copy with one bit changed; bit 0 is the least significant of octet 0. */
export function flip(source: Uint8Array, bit: number): Uint8Array {
  const out = Uint8Array.from(source);
  out[bit >> 3]! ^= 1 << (bit & 7);
  return out;
}
