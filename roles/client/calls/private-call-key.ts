/**
 * The key of a private call (TS 33.180 5.6, E.3): the caller draws it, seals it to the callee and signs it; nobody between
 * them can open the message.
 */
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import {
  type DeliveredKey,
  type Member,
  openMessage,
  type ReceiverState,
  type Tolerance,
} from "../../../bindings/index.ts";
import type { CallSide, RocTransport } from "../../../bindings/media/index.ts";
import { sealNewKey } from "../../call/sealed-key.ts";
import type { ClientKeys } from "../../identity/load-keys.ts";
import { mayKeyUser } from "../../identity/user-kms.ts";

/** One side's end of the key. The call that uses it destroys it. */
export interface PrivateCallKey {
  readonly pck: DeliveredKey;
  readonly side: CallSide;
  /** As the message has it; undefined: no packet carries the ROC. */
  readonly roc?: RocTransport | undefined;
}

export interface SealedPck extends PrivateCallKey {
  /** The I_MESSAGE. */
  readonly octets: Uint8Array;
}

/** A new PCK for a call to that user. `now`: milliseconds since the Unix epoch. Errors as `sealMessage`. */
export async function sealPck(
  callee: Member,
  keys: Pick<ClientKeys, "initiator" | "domains">,
  options: Parameters<typeof sealNewKey>[3],
): Promise<SealedPck> {
  const { key, octets } = await sealNewKey("PCK", callee, keys, options);
  return { pck: key, side: "initiator", octets };
}

export interface OpenPckOptions {
  /** MC service user ID of the caller, as signalling names them. */
  readonly caller: string;
  readonly keys: Pick<ClientKeys, "receiver" | "homeKms" | "domains">;
  /** Messages that came before: one for all calls of a client. */
  readonly state: ReceiverState;
  readonly tolerance?: Tolerance | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/**
 * The PCK that a caller has sealed to this user, whom a KMS of this client has keyed. It is taken once.
 *
 * @throws {MikeySakkeError} as `openMessage`; verification `KEY_REVOKED`
 */
export async function openPck(
  octets: Uint8Array,
  { caller, keys, state, tolerance, now }: OpenPckOptions,
): Promise<PrivateCallKey> {
  const opened = await openMessage(octets, {
    receiver: keys.receiver,
    state,
    now,
    allow: ["PCK"],
    from: caller,
    authorise: ({ uri, kmsUri }) => uri === caller && mayKeyUser(keys, { uri, kmsUri }),
    ...defined({ tolerance }),
  });
  if (opened.outcome === "accepted") return { pck: opened.key, side: "receiver", roc: opened.profile?.roc };
  throw new MikeySakkeError("verification", "KEY_REVOKED", `PCK of ${caller}: revoked`);
}
