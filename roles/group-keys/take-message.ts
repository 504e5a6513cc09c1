/**
 * One I_MESSAGE with a GMK, from octets to a stored key (TS 33.180 5.7.2, step 2): signature, GMS authorised, GMK with
 * GUK-ID and GMK-ID, no duplicate, parameters decrypted, group, activation and text. Only then is anything stored.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import {
  type AcceptedMessage,
  acceptMessage,
  DEFAULT_PERIOD_OVERLAP,
  DEFAULT_WINDOW_MS,
  type KmsDomain,
  keyPeriodEnd,
  ntpSeconds,
  ntpSecondsToUnixMs,
  ntpToUnixMs,
  type OpenedMessage,
  type ParsedMessage,
  parseMessage,
  type Tolerance,
  type VerifiedMessage,
  verifyMessage,
} from "../../bindings/index.ts";
import type { ClientKeys } from "../identity/load-keys.ts";
import type { GroupKey } from "./group-key.ts";
import { type GroupKeyFacts, MAX_DIGESTS } from "./group-key-record.ts";
import type { GroupKeyRing } from "./group-key-ring.ts";
import { StagedState } from "./staged-state.ts";

/** The GMS that a user's groups are managed by (5.7.1). */
export interface GmsIdentity {
  /** Its identity, as in IDRi. */
  readonly uri: string;
  /** The KMS that keys it (5.2.7.2); the Home KMS when absent. */
  readonly kmsUri?: string;
}

export interface TakeContext {
  readonly ring: GroupKeyRing;
  readonly keys: Pick<ClientKeys, "homeKms" | "receiver">;
  readonly gms: GmsIdentity;
  /** Whether the host asks for keys of that group. Other groups of a message get no key by it. */
  readonly expectsGroup: (groupUri: string) => boolean;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** Seconds; see `OpenContext`. */
  readonly periodOverlap?: number;
  readonly tolerance?: Tolerance;
  /**
   * The GMS itself shows the message as what holds now, over a connection that proves who it is: then it may be older than
   * the ring. False when absent.
   */
  readonly isPresent?: boolean;
}

/** Such a message is refused: the ring was made after it was sent. */
export const OLDER_THAN_RING = "OLDER_THAN_RING";

/**
 * stored: the key was new, or its parameters changed. known: the same message was taken before. revoked: the key is gone
 * now. unwanted: authentic, but all its groups of this GMS are ones that the host does not ask for; nothing is kept of it, so
 * that a client that asks for them takes it later. refused: by a check; the sender learns of it. failed: on this side, as by the storage; nothing is known of the
 * message, so that it can come again.
 */
export type TakenMessage =
  | { readonly outcome: "stored" | "known" | "revoked"; readonly key: GroupKey }
  | { readonly outcome: "unwanted"; readonly groups: readonly string[] }
  | { readonly outcome: "refused"; readonly error: MikeySakkeError; readonly parties: Parties | undefined }
  | { readonly outcome: "failed"; readonly error: unknown };

/** The facts of a message for a KMS Redirect Response (D.4). */
export interface Parties {
  readonly initiator: string | undefined;
  readonly responder: string | undefined;
  readonly initiatorKms: string;
  readonly responderKms: string;
}

/** Does not reject. */
export async function takeMessage(octets: Uint8Array, context: TakeContext): Promise<TakenMessage> {
  let message: ParsedMessage | undefined;
  try {
    const parsed = parseMessage(octets, { tolerance: context.tolerance });
    message = parsed;
    return await context.ring.exclusively(() => take(parsed, context));
  } catch (error) {
    if (!(error instanceof MikeySakkeError) || !isRefusal(error)) return { outcome: "failed", error };
    return { outcome: "refused", error, parties: message && partiesOf(message) };
  }
}

const isError = (error: unknown, code: ErrorCode) => error instanceof MikeySakkeError && error.code === code;

function isRefusal({ check, kind }: MikeySakkeError): boolean {
  return check !== undefined || kind === "validation" || kind === "verification";
}

async function take(message: ParsedMessage, context: TakeContext): Promise<TakenMessage> {
  const digest = toHex(sha256(message.signed));
  // Before all else: what was taken may by now be of a key period that is over, and a GMS repeats its documents.
  const taken = context.ring.taken(digest);
  if (taken !== undefined) return { outcome: "known", key: taken };
  const { ring, keys, gms, now, periodOverlap, tolerance } = context;
  const unwanted = new Set<string>();
  const expectsGroup = (uri: string) => {
    if ((ring.gmsOf(uri) ?? gms.uri) !== gms.uri) return false;
    if (context.expectsGroup(uri)) return true;
    unwanted.add(uri);
    return false;
  };
  const sent = ntpToUnixMs(message.time);
  if (context.isPresent !== true && sent < ring.since - DEFAULT_WINDOW_MS) {
    const text = `sent ${new Date(sent).toISOString()}, before this ring of keys was made`;
    throw new MikeySakkeError("validation", OLDER_THAN_RING, text);
  }
  let before: GroupKeyFacts | undefined;
  const state = new StagedState(async (scope) => {
    before = await ring.stored(scope);
    // Another tab took it, or a write that seemed to fail did not.
    if (ring.taken(digest) !== undefined) return undefined;
    // A key that went with its group may come back by the very message that brought it.
    return before?.end === "left" && before.digests.at(-1) === digest ? undefined : before?.ledger;
  });
  const verified = await verifyMessage(message, {
    receiver: keys.receiver,
    state,
    now,
    allow: ["GMK"],
    authorise: ({ uri, kmsUri }) => uri === gms.uri && kmsUri === (gms.kmsUri ?? keys.homeKms),
    // A message may lie in a document for long before it is fetched.
    delivery: "stored",
    // The carrier is the GMS itself, so it is its URI that a hidden initiator must have (5.2.6).
    from: () => gms.uri,
    requireParameters: true,
    expectsGroup,
    ...defined({ periodOverlap, tolerance }),
  });
  const opened = await acceptMessage(verified).catch((error: unknown) => {
    if (unwanted.size > 0 && isError(error, "GROUP_NOT_EXPECTED")) return undefined;
    throw error;
  });
  if (opened === undefined) return { outcome: "unwanted", groups: [...unwanted] };
  const meanwhile = ring.taken(digest);
  if (meanwhile !== undefined) {
    if (opened.outcome === "accepted") opened.key.destroy();
    return { outcome: "known", key: meanwhile };
  }
  const facts = factsOf(opened, { digest, verified, before, state, expectsGroup });
  const key = await ring.enter(facts, opened.outcome === "accepted" ? opened.key : undefined);
  return { outcome: opened.outcome === "accepted" ? "stored" : "revoked", key };
}

function factsOf(
  opened: OpenedMessage,
  {
    digest,
    verified,
    before,
    state,
    expectsGroup,
  }: {
    digest: string;
    verified: VerifiedMessage;
    before: GroupKeyFacts | undefined;
    state: StagedState;
    expectsGroup: (groupUri: string) => boolean;
  },
): GroupKeyFacts {
  const { message } = verified;
  const { parameters } = opened;
  const groups = parameters?.groups.map(({ uri }) => uri) ?? [];
  const sent = ntpToUnixMs(message.time);
  const others = before?.digests.filter((other) => other !== digest) ?? [];
  const common = {
    ledger: state.record,
    digests: [...others, digest].slice(-MAX_DIGESTS),
    gukId: message.csbId,
    rand: toHex(message.rand),
    text: parameters?.text ?? "",
    gmsUri: opened.initiator.uri,
    firstSent: before?.firstSent ?? sent,
    replayableUntil: Math.max(before?.replayableUntil ?? 0, replayableUntil(verified)),
  };
  if (opened.outcome === "revoked") {
    const { activation, expiry, leftGroups, profile } = before ?? UNKNOWN;
    // A revocation may name no groups, or come before the key.
    const named = groups.length > 0 ? groups : (before?.groups ?? []);
    return { ...common, end: "revoked", groups: named, leftGroups, activation, expiry, profile };
  }
  const isHeld = before !== undefined && before.end === undefined;
  return {
    ...common,
    end: undefined,
    groups: [...new Set(groups)],
    leftGroups: groups.filter((uri) => !expectsGroup(uri) || (isHeld && before.leftGroups.includes(uri))),
    activation: activationOf(opened, before),
    expiry: opened.expiry,
    profile: opened.profile,
  };
}

const UNKNOWN = { activation: 0, expiry: undefined, leftGroups: [], profile: undefined };

/** Without an activation time T stands for it (E.6.4); a renewal has a later T, and makes the key no younger. */
function activationOf(
  { activation, parameters }: AcceptedMessage,
  before: GroupKeyFacts | undefined,
): number {
  return parameters?.activation || before === undefined ? activation : before.activation;
}

/** When check 38 begins to refuse the message: the key period of T is over, by either KMS, and the overlap as well. */
function replayableUntil({ message, initiatorDomain, recipient, context }: VerifiedMessage): number {
  const overlap = context.periodOverlap ?? DEFAULT_PERIOD_OVERLAP;
  const end = (domain: KmsDomain) => {
    const period = domain.keyPeriodNo(ntpSeconds(message.time));
    return ntpSecondsToUnixMs(keyPeriodEnd(period, domain.rule) + overlap);
  };
  return Math.max(end(initiatorDomain), end(recipient.key.domain));
}

function partiesOf({ initiator, responder, initiatorKms, responderKms }: ParsedMessage): Parties {
  return {
    initiator: initiator.hidden ? undefined : initiator.uri,
    responder: responder.hidden ? undefined : responder.uri,
    initiatorKms,
    responderKms,
  };
}
