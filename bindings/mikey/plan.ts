/**
 * The messages to be sealed, settled before any curve arithmetic: key, identifiers, times, members. A plan is plain data
 * that survives `structuredClone`, so that slices of it can be sealed in workers (build.ts).
 */
import { wipe } from "../../base/bytes.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";
import { applyUserSalt } from "../identity/guk-id.ts";
import type { Initiator } from "../identity/initiator.ts";
import { type NtpTime, ntpToUnixMs, ntpUnfold } from "../identity/ntp.ts";
import {
  drawKeyId,
  formatKeyId,
  isDiversified,
  isKeyId,
  type KeyId,
  type KeyKind,
  keyKind,
} from "../identity/purpose-tag.ts";
import { userSalts } from "../identity/user-salt.ts";
import { defaultKeyParameters, encodeKeyParameters, type KeyParameters } from "./key-parameters.ts";
import { RAND_BYTES } from "./rand.ts";
import type { SrtpParameter } from "./sp.ts";

/** Key length of E.1: 128 bits, the SSV of SAKKE parameter set 1. */
export const KEY_BYTES = 16;

export interface Member {
  /** MC service user ID. */
  readonly uri: string;
  /** `KmsUri` of the member's KMS (5.2.7); the initiator's when absent. */
  readonly kmsUri?: string;
}

/** An explicit SRTP profile: GENERIC-ID map and SP. Without it the default profile of the kind of key holds. */
export interface SrtpOffer {
  /** One crypto session each, with the SSRC (4 octets) where it is given. Table E.1.3-1. */
  readonly sessions: readonly { readonly csId: number; readonly ssrc?: Uint8Array }[];
  readonly parameters: readonly SrtpParameter[];
}

/** The form in which messages are written; the same for all members. */
export interface SealOptions {
  /** Key parameters (5.2.4). Absent: no extension, the key is valid at once and for ever. */
  readonly parameters?: Partial<Omit<KeyParameters, "kind">>;
  /** "Date and time" of the protected parameters, Unix seconds. Default: T. */
  readonly parametersDate?: number;
  readonly srtp?: SrtpOffer;
  /** IDRuidi in place of IDRi (5.2.6). The carrier must then name the initiator to the receiver. */
  readonly hideInitiator?: boolean;
  /** IDRuidr in place of IDRr (5.2.6). */
  readonly hideResponder?: boolean;
  /** Adds the same key for the initiator's other devices (5.2.5). */
  readonly toSelf?: boolean;
}

export interface SealRequest extends SealOptions {
  readonly kind: KeyKind;
  readonly members: readonly Member[];
  /** 16 octets; drawn when absent. */
  readonly key?: Uint8Array;
  /** K-ID with the purpose tag of the kind; drawn when absent. Given again to renew or revoke a key. */
  readonly keyId?: KeyId;
  /** One RAND for all members (RFC 3830 6.11); drawn when absent. Given again to renew a key. */
  readonly rand?: Uint8Array;
}

export interface PlannedMember {
  readonly uri: string;
  readonly kmsUri: string;
  /** CSB-ID of this member's message: GUK-ID or K-ID. */
  readonly csbId: KeyId;
}

export interface SealPlan {
  readonly kind: KeyKind;
  /** Secret; `destroyPlan` wipes it. */
  readonly key: Uint8Array;
  readonly keyId: KeyId;
  readonly rand: Uint8Array;
  /** T of the first member; the n-th has n units of the fraction more. */
  readonly time: NtpTime;
  readonly initiatorUri: string;
  readonly initiatorKmsUri: string;
  readonly members: readonly PlannedMember[];
  readonly parameters: KeyParameters | undefined;
  readonly parametersDate: number;
  readonly srtp: SrtpOffer | undefined;
  readonly hideInitiator: boolean;
  readonly hideResponder: boolean;
  readonly toSelf: boolean;
}

export interface PlanContext {
  readonly initiator: Initiator;
  readonly random: RandomSource;
  /** Ms since the Unix epoch. */
  readonly now: number;
  /**
   * T of the first member, where several processes share one initiator and get their times from elsewhere; the members'
   * times must lie in one second. `initiator.reserveTimes` gives it when absent.
   */
  readonly time?: NtpTime;
}

/** Salts have 28 bits: beyond some ten thousand members hardly any GMK gives them all different ones. */
const MAX_DRAWS = 64;

/**
 * Settles key, identifiers and times. For a GMK every member gets a GUK-ID; when two would share one, another
 * GMK is drawn, since the difference of two GUK-IDs depends on the salts and not on the GMK-ID.
 *
 * @throws MikeySakkeError usage: no or doubled members, a given key with colliding GUK-IDs, bad lengths, bad `time`
 */
export function planSeal(request: SealRequest, context: PlanContext): SealPlan {
  checkRequest(request);
  const { kind } = request;
  const { initiator, random } = context;
  requireOneSecond(context.time, request.members.length);
  const keyId = request.keyId ?? drawKeyId(kind, random);
  const { key, csbIds } = settleKey(request, keyId, random);
  const time = context.time ?? initiator.reserveTimes(context.now, request.members.length);
  const parameters = request.parameters && { ...defaultKeyParameters(kind), ...request.parameters };
  if (parameters) encodeKeyParameters(parameters);
  return {
    kind,
    key,
    keyId,
    rand: request.rand ? new Uint8Array(request.rand) : random(RAND_BYTES),
    time,
    initiatorUri: initiator.uri,
    initiatorKmsUri: initiator.kmsUri,
    members: request.members.map((m, i) => ({
      uri: m.uri,
      kmsUri: m.kmsUri ?? initiator.kmsUri,
      csbId: csbIds[i]!,
    })),
    parameters,
    parametersDate: request.parametersDate ?? Math.floor(ntpToUnixMs(time) / 1000),
    srtp: request.srtp,
    hideInitiator: request.hideInitiator ?? false,
    hideResponder: request.hideResponder ?? false,
    toSelf: request.toSelf ?? false,
  };
}

/** Wipes the key of a plan that is no longer needed. */
export function destroyPlan(plan: SealPlan): void {
  wipe(plan.key);
}

function settleKey(
  request: SealRequest,
  keyId: KeyId,
  random: RandomSource,
): { key: Uint8Array; csbIds: KeyId[] } {
  const uris = request.members.map((m) => m.uri);
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    const key = request.key ? new Uint8Array(request.key) : random(KEY_BYTES);
    if (!isDiversified(request.kind)) return { key, csbIds: uris.map(() => keyId) };
    const csbIds = userSalts(key, uris).map((salt) => applyUserSalt(keyId, salt));
    if (new Set(csbIds).size === csbIds.length) return { key, csbIds };
    wipe(key);
    if (request.key) break;
  }
  throw usage("GUK_ID_COLLISION", "two members would share a GUK-ID, and so the key stream of their media");
}

function checkRequest(request: SealRequest): void {
  const { kind, members, key, keyId, rand } = request;
  if (members.length === 0) throw usage("NO_MEMBERS", "nobody to seal for");
  const uris = new Set<string>();
  for (const { uri } of members) {
    if (uri === "") throw usage("BAD_MEMBER", "a member has an empty URI");
    if (uris.has(uri)) throw usage("DUPLICATE_MEMBER", `${uri}: twice among the members`);
    uris.add(uri);
  }
  if (key && key.length !== KEY_BYTES)
    throw usage("WRONG_LENGTH", `key: ${key.length} octets, must be ${KEY_BYTES}`);
  if (rand && (rand.length < RAND_BYTES || rand.length > 255)) {
    throw usage("WRONG_LENGTH", `RAND: ${rand.length} octets, must be ${RAND_BYTES} to 255`);
  }
  if (keyId !== undefined && (!isKeyId(keyId) || keyKind(keyId) !== kind)) {
    throw usage(
      "BAD_KEY_ID",
      `key identifier ${formatKeyId(keyId)}: its purpose tag is not that of a ${kind}`,
    );
  }
}

/** One second is in one key period, so one signing key does for all members. */
function requireOneSecond(time: NtpTime | undefined, count: number): void {
  if (time === undefined) return;
  const first = ntpUnfold(time);
  if (first >> 32n === (first + BigInt(count - 1)) >> 32n) return;
  throw usage("BAD_TIME", `T of ${count} members from ${time}: not in one second`);
}

function usage(code: ErrorCode, message: string): MikeySakkeError {
  return new MikeySakkeError("usage", code, message);
}
