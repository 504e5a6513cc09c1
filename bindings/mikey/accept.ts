/**
 * Verified to accepted: the key is decapsulated and everything it uncovers is checked. Steps 7 to 11 of the
 * receiver order (RFC 6509 2.2.2, TS 33.180 5.2.2 to 5.2.6). State is written last, in one step, so that a
 * message refused for whatever reason leaves no trace.
 */
import { equal, toHex, wipe } from "../../base/bytes.ts";
import { CHECKS, refusal } from "../../base/checks.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { recoverGmkId } from "../identity/guk-id.ts";
import { type NtpTime, ntpToUnixMs } from "../identity/ntp.ts";
import {
  formatKeyId,
  isDiversified,
  type KeyId,
  type KeyKind,
  keyIdToBytes,
} from "../identity/purpose-tag.ts";
import type { InitiatorIdentity } from "./context.ts";
import { DeliveredKey } from "./delivered-key.ts";
import { type KeyRecord, keyFingerprint, recordScope, updateRecord } from "./key-ledger.ts";
import type { KeyParameters } from "./key-parameters.ts";
import { checkGroups, openKeyParameters } from "./open-parameters.ts";
import type { ParsedMessage } from "./parse.ts";
import { profileOf, type SrtpProfile } from "./srtp-profile.ts";
import { hasUid, requireAuthorised, type VerifiedMessage } from "./verify.ts";

interface Outcome {
  readonly kind: KeyKind;
  readonly keyId: KeyId;
  readonly initiator: InitiatorIdentity;
  /** My identity that the message was opened with. */
  readonly recipient: {
    readonly uri: string;
    readonly kmsUri: string;
    readonly role: "responder" | "initiator";
  };
  /** T of the message. */
  readonly time: NtpTime;
  /** Undefined when the message carried none: valid at once and for ever. */
  readonly parameters: KeyParameters | undefined;
}

/** A key that may be used between its two times. The caller destroys `key`. */
export interface AcceptedMessage extends Outcome {
  readonly outcome: "accepted";
  readonly key: DeliveredKey;
  /** Ms since the Unix epoch; before it the key is not used for sending. */
  readonly activation: number;
  /** Ms since the Unix epoch; undefined: never. */
  readonly expiry: number | undefined;
  /** The same key was known already; parameters may have changed. */
  readonly renewed: boolean;
  readonly message: ParsedMessage;
  /** SRTP profile of the first crypto session, or the default profile. */
  readonly profile: SrtpProfile | undefined;
}

/** An authentic revocation: there is no key to use, and the identifier is blocked (5.2.4, E.6.9). */
export interface RevokedMessage extends Outcome {
  readonly outcome: "revoked";
  readonly check: number;
  readonly code: "KEY_REVOKED";
}

export type OpenedMessage = AcceptedMessage | RevokedMessage;

/** Checks 43 to 63. */
export async function acceptMessage(verified: VerifiedMessage): Promise<OpenedMessage> {
  const { message, recipient } = verified;
  const key = decapsulate(verified);
  let kept = false;
  try {
    const parameters = await openKeyParameters(key, message, verified.context);
    checkGroups(parameters, message, verified.context);
    const keyId = recoverKeyId(key, verified);
    checkSpi(message, keyId);
    const initiator = await identifyInitiator(key, keyId, verified);
    const { uri, domain } = recipient.key;
    const outcome: Outcome = {
      kind: message.kind,
      keyId,
      initiator,
      recipient: { uri, kmsUri: domain.kmsUri, role: recipient.role },
      time: message.time,
      parameters,
    };
    if (parameters?.revoked) {
      await commit(key, outcome, verified, true);
      return { ...outcome, outcome: "revoked", check: CHECKS.KEY_REVOKED[0], code: "KEY_REVOKED" };
    }
    const expiry = parameters?.expiry ? parameters.expiry * 1000 : undefined;
    if (expiry !== undefined && verified.context.now > expiry) {
      throw refusal("KEY_EXPIRED", `key expired at ${new Date(expiry).toISOString()}`);
    }
    const renewed = await commit(key, outcome, verified, false);
    kept = true;
    return {
      ...outcome,
      outcome: "accepted",
      key: new DeliveredKey(key, { kind: message.kind, keyId, ukId: message.csbId, rand: message.rand }),
      activation: parameters?.activation ? parameters.activation * 1000 : ntpToUnixMs(message.time),
      expiry,
      renewed,
      message,
      profile: profileOf(message),
    };
  } finally {
    if (!kept) wipe(key);
  }
}

function decapsulate(verified: VerifiedMessage): Uint8Array {
  const { sed, key } = verified.recipient;
  try {
    return key.sakke.decapsulate(sed);
  } catch (cause) {
    if (!(cause instanceof MikeySakkeError)) throw cause;
    if (cause.code === "BAD_POINT" || cause.code === "BAD_SED") {
      throw refusal("BAD_SAKKE_POINT", `encapsulated data: ${cause.message}`, { cause });
    }
    if (cause.code === "SAKKE_CHECK_FAILED") {
      throw refusal("SAKKE_CHECK_FAILED", "encapsulated data: R does not follow from the key", { cause });
    }
    throw cause;
  }
}

/** K-ID: the CSB-ID, with the responder's salt taken off for a GMK (5.2.3). */
function recoverKeyId(key: Uint8Array, verified: VerifiedMessage): KeyId {
  const { message, recipient } = verified;
  if (!isDiversified(message.kind)) return message.csbId;
  return recoverGmkId(
    key,
    message.csbId,
    recipient.role === "responder" ? recipient.key.uri : responderUri(verified),
  );
}

/** The salt is the responder's, also when another device of the initiator reads the message. */
function responderUri({ message, context }: VerifiedMessage): string {
  if (!message.responder.hidden) return message.responder.uri;
  const uri = context.responderUri;
  const domain = context.receiver.domain(message.responderKms, ntpToUnixMs(message.time));
  if (uri === undefined || domain === undefined) {
    throw refusal("RESPONDER_UNKNOWN", "hidden responder: without its URI the GMK-ID cannot be found");
  }
  if (!hasUid(uri, message.responder.uid, domain, message, context)) {
    throw refusal("RESPONDER_UNKNOWN", `hidden responder: ${uri} has another UID`);
  }
  return uri;
}

/** The SPI repeats the MKI: GMK-ID || GUK-ID, or the K-ID. It is informative, but it must not lie. */
function checkSpi(message: ParsedMessage, keyId: KeyId): void {
  const mki = new Uint8Array(isDiversified(message.kind) ? 8 : 4);
  mki.set(keyIdToBytes(keyId));
  if (isDiversified(message.kind)) mki.set(keyIdToBytes(message.csbId), 4);
  for (const session of message.sessions) {
    if (session.spi.length > 0 && !equal(session.spi, mki)) {
      const text = `crypto session ${session.csId}: SPI does not belong to key ${formatKeyId(keyId)}`;
      throw refusal("SPI_MISMATCH", text);
    }
  }
}

/** The sender. A hidden initiator is looked up only now, as its URI may come encrypted under the key (5.2.6). */
async function identifyInitiator(
  key: Uint8Array,
  keyId: KeyId,
  verified: VerifiedMessage,
): Promise<InitiatorIdentity> {
  const { message, context, initiatorUid: uid, initiatorDomain } = verified;
  const kmsUri = message.initiatorKms;
  if (!message.initiator.hidden) return { uri: message.initiator.uri, uid, kmsUri };
  const uri = await hiddenInitiatorUri(key, keyId, verified);
  if (uri === undefined) {
    if (context.anonymousInitiator !== "accept") {
      throw refusal("HIDDEN_INITIATOR_UNKNOWN", "hidden initiator: the carrier does not name it");
    }
  } else if (!hasUid(uri, uid, initiatorDomain, message, context)) {
    throw refusal("HIDDEN_INITIATOR_MISMATCH", `hidden initiator: ${uri} has another UID`);
  }
  const identity = { uri, uid, kmsUri };
  await requireAuthorised(identity, initiatorDomain, message, context);
  return identity;
}

async function hiddenInitiatorUri(
  key: Uint8Array,
  keyId: KeyId,
  { message, context, recipient }: VerifiedMessage,
): Promise<string | undefined> {
  if (recipient.role === "initiator") return recipient.key.uri;
  if (typeof context.from !== "function") return context.from;
  const copy = key.slice();
  try {
    return await context.from({ kind: message.kind, keyId, key: copy });
  } finally {
    wipe(copy);
  }
}

/** Enters message and key in the receiver's state; whether the key was known. Checks 32 and 58 to 61. */
async function commit(
  key: Uint8Array,
  outcome: Outcome,
  { message, context, seen }: VerifiedMessage,
  revoked: boolean,
): Promise<boolean> {
  const { uri, uid, kmsUri } = outcome.initiator;
  const incoming: KeyRecord = {
    kind: outcome.kind,
    keyId: outcome.keyId,
    initiator: `${uri ?? toHex(uid)} ${kmsUri}`,
    fingerprint: keyFingerprint(key, message.rand),
    time: message.time,
    revoked,
  };
  let known = false;
  const entered = await context.state.commit(recordScope(incoming), seen, (held) => {
    known = held !== undefined;
    return updateRecord(held, incoming);
  });
  if (!entered) throw refusal("REPLAYED", "message was accepted before, or may have been");
  return known;
}
