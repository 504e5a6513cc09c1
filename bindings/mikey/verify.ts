/**
 * Parsed to verified: whether this receiver may take the message now, and whether its signature holds. Steps 3
 * to 6 of the receiver order (RFC 3830 5.3, RFC 6509 2.2.2): everything cheap first, no secret is used yet.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { equal, toHex } from "../../base/bytes.ts";
import { refusal } from "../../base/checks.ts";
import { keyPeriodEnd, keyPeriodStart, keyPeriodsAround } from "../identity/key-period.ts";
import type { KmsDomain } from "../identity/kms-domain.ts";
import { NTP_UNIX_OFFSET, ntpFromUnixMs, ntpSeconds, ntpToUnixMs } from "../identity/ntp.ts";
import type { DecryptionKey } from "../identity/receiver.ts";
import {
  DEFAULT_PERIOD_OVERLAP,
  DEFAULT_WINDOW_MS,
  type InitiatorIdentity,
  type OpenContext,
} from "./context.ts";
import type { ParsedMessage } from "./parse.ts";
import type { Party } from "./party-identity.ts";
import type { SeenMessage } from "./receiver-state.ts";
import { SIGN_HEADER_BYTES } from "./sign.ts";

declare const verified: unique symbol;

/** Proof that the signature was checked for this receiver and context; made by `verifyMessage` only. */
export interface VerifiedMessage {
  readonly [verified]: true;
  readonly message: ParsedMessage;
  readonly context: OpenContext;
  readonly initiatorDomain: KmsDomain;
  /** The UID that the signature verified under. */
  readonly initiatorUid: Uint8Array;
  readonly recipient: Recipient;
  /** Undefined for a message delivered from a store. */
  readonly seen: SeenMessage | undefined;
}

/** The key of mine that opens the message: as its responder, or as another device of its initiator (E.5). */
export interface Recipient {
  readonly role: "responder" | "initiator";
  readonly key: DecryptionKey;
  readonly sed: Uint8Array;
}

/** Checks 30 to 42. */
export async function verifyMessage(message: ParsedMessage, context: OpenContext): Promise<VerifiedMessage> {
  if (!context.allow.includes(message.kind)) {
    throw refusal("PURPOSE_NOT_ALLOWED", `${message.kind}: not a key that this procedure brings`, {
      offset: 4,
    });
  }
  const seen = await checkTime(message, context);
  const initiatorDomain = context.receiver.domain(message.initiatorKms, ntpToUnixMs(message.time));
  if (initiatorDomain === undefined) {
    throw refusal(
      "UNKNOWN_INITIATOR_KMS",
      `initiator's KMS ${message.initiatorKms}: not known or not allowed`,
    );
  }
  const recipient = findRecipient(message, context);
  for (const domain of [initiatorDomain, recipient.key.domain]) checkDomain(domain, message, context);
  checkAssertion(message.initiator, context);
  const initiatorUid = uidOf(message.initiator, initiatorDomain, message);
  checkSignature(message, context, initiatorDomain, initiatorUid);
  if (!message.initiator.hidden) {
    const identity = { uri: message.initiator.uri, uid: initiatorUid, kmsUri: message.initiatorKms };
    await requireAuthorised(identity, initiatorDomain, message, context);
  }
  const result = { message, context, initiatorDomain, initiatorUid, recipient, seen };
  return result as unknown as VerifiedMessage;
}

/** Checks 64 and 42. */
export async function requireAuthorised(
  identity: InitiatorIdentity,
  domain: KmsDomain,
  { kind }: ParsedMessage,
  { authorise }: OpenContext,
): Promise<void> {
  const name = identity.uri ?? "hidden initiator";
  if (identity.uri !== undefined && !domain.vouchesFor(identity.uri)) {
    const text = `${name}: in none of the domains of its KMS ${domain.kmsUri}`;
    throw refusal("INITIATOR_NOT_OF_KMS", text);
  }
  if (await authorise(identity, kind)) return;
  throw refusal("INITIATOR_NOT_AUTHORISED", `${name}: not authorised to send a ${kind}`);
}

async function checkTime(message: ParsedMessage, context: OpenContext): Promise<SeenMessage | undefined> {
  const window = context.windowMs ?? DEFAULT_WINDOW_MS;
  const stored = context.delivery === "stored";
  const age = context.now - ntpToUnixMs(message.time);
  if (age < -window || (age > window && !stored)) {
    const text = `T is ${Math.abs(age) / 1000} s ${age < 0 ? "ahead of" : "behind"} the reference time`;
    throw refusal("TIME_OUTSIDE_WINDOW", text);
  }
  if (stored) return undefined;
  const digest = toHex(sha256(message.signed));
  const seen = { digest, time: message.time, notBefore: ntpFromUnixMs(context.now - window) };
  if (await context.state.seen(seen))
    throw refusal("REPLAYED", "message was accepted before, or may have been");
  return seen;
}

function findRecipient(message: ParsedMessage, context: OpenContext): Recipient {
  const responderKey = keyFor(message.responderKms, message.responder, message, context);
  if (responderKey !== undefined) return { role: "responder", key: responderKey, sed: message.sed };
  if (message.selfSed !== undefined) {
    const initiatorKey = keyFor(message.initiatorKms, message.initiator, message, context);
    if (initiatorKey !== undefined) return { role: "initiator", key: initiatorKey, sed: message.selfSed };
  }
  if (!context.receiver.isKeyedBy(message.responderKms)) {
    throw refusal("RESPONDER_KMS_NOT_MINE", `responder's KMS ${message.responderKms}: issued no key of mine`);
  }
  throw refusal("NOT_FOR_ME", "responder is none of my identities");
}

/** My key for a party of the message; undefined when the party is not me. */
function keyFor(
  kmsUri: string,
  party: Party,
  message: ParsedMessage,
  context: OpenContext,
): DecryptionKey | undefined {
  const { receiver } = context;
  const sent = ntpToUnixMs(message.time);
  const domain = receiver.domain(kmsUri, sent);
  if (domain === undefined) return undefined;
  if (!party.hidden) {
    if (!receiver.isMine(kmsUri, party.uri)) return undefined;
    const uid = uidOf(party, domain, message);
    const key = receiver.keyOf(kmsUri, uid, sent);
    if (key === undefined) {
      const periodNo = domain.keyPeriodNo(ntpSeconds(message.time));
      throw refusal("NO_KEY_FOR_PERIOD", `${party.uri}: no key for key period ${periodNo}`);
    }
    return key;
  }
  const key = receiver.keyOf(kmsUri, party.uid, sent);
  if (key !== undefined && !periodsOf(domain, message, context).includes(key.periodNo)) {
    throw refusal(
      "UID_PERIOD_MISMATCH",
      `responder's UID: of key period ${key.periodNo}, which is not that of T`,
    );
  }
  return key;
}

/** The UID as given, or that of the URI in the key period of T (5.2.2, F.2.1). */
function uidOf(party: Party, domain: KmsDomain, message: ParsedMessage): Uint8Array {
  if (party.hidden) return party.uid;
  return domain.uid(party.uri, domain.keyPeriodNo(checkedSeconds(domain, message)));
}

/** Period numbers that an UID of the message may have been made with. */
export function periodsOf(domain: KmsDomain, message: ParsedMessage, context: OpenContext): number[] {
  const overlap = context.periodOverlap ?? DEFAULT_PERIOD_OVERLAP;
  return keyPeriodsAround(checkedSeconds(domain, message), domain.rule, overlap);
}

function checkedSeconds(domain: KmsDomain, message: ParsedMessage): number {
  const seconds = ntpSeconds(message.time);
  if (seconds < domain.rule.offset) {
    throw refusal("KEY_PERIOD_NOT_CURRENT", `T is before the first key period of ${domain.kmsUri}`);
  }
  return seconds;
}

/**
 * The end of a key period is what revokes its keys (RFC 6509 3.3), so a message of a period that is over for
 * longer than the overlap is refused, also when it comes from a store (RFC 6509 2.5).
 */
function checkDomain(domain: KmsDomain, message: ParsedMessage, context: OpenContext): void {
  if (!domain.validAt(ntpToUnixMs(message.time))) {
    throw refusal("KMS_NOT_VALID", `KMS ${domain.kmsUri}: certificate revoked or not valid at T`);
  }
  const overlap = context.periodOverlap ?? DEFAULT_PERIOD_OVERLAP;
  const periodNo = domain.keyPeriodNo(checkedSeconds(domain, message));
  const now = Math.floor(context.now / 1000) + NTP_UNIX_OFFSET;
  const current =
    now >= keyPeriodStart(periodNo, domain.rule) - overlap &&
    now < keyPeriodEnd(periodNo, domain.rule) + overlap;
  if (!current)
    throw refusal("KEY_PERIOD_NOT_CURRENT", `key period ${periodNo} of ${domain.kmsUri}: not current`);
}

function checkAssertion(initiator: Party, context: OpenContext): void {
  if (initiator.hidden || typeof context.from !== "string" || context.from === initiator.uri) return;
  throw refusal("INITIATOR_NOT_AS_ASSERTED", `initiator ${initiator.uri}: the carrier named ${context.from}`);
}

function checkSignature(
  message: ParsedMessage,
  context: OpenContext,
  domain: KmsDomain,
  uid: Uint8Array,
): void {
  const { signed, signature } = message;
  if (domain.authentication.verify(uid, signed, signature)) return;
  if (context.tolerance?.signatureWithoutHeader) {
    const shorter = signed.subarray(0, signed.length - SIGN_HEADER_BYTES);
    if (domain.authentication.verify(uid, shorter, signature)) return;
  }
  throw refusal("BAD_SIGNATURE", "signature does not verify");
}

/** Returns whether `uri` has the UID of the message in one of the periods around T. */
export function hasUid(
  uri: string,
  uid: Uint8Array,
  domain: KmsDomain,
  message: ParsedMessage,
  context: OpenContext,
): boolean {
  return periodsOf(domain, message, context).some((n) => equal(domain.uid(uri, n), uid));
}
