/**
 * The answer to a NOTIFY is that of the member to the messages in it (TS 33.180 5.7.2.x step 2): 200 when all are stored,
 * 488 when a check fails. What failed on this side only is 500, so that the GMS tries again.
 */
import { utf8 } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { MEDIA, writeKrr } from "../../documents/group-xml/index.ts";
import { ACCEPT, type Answer, isSipUri, parseUri, WARNING } from "../../transport/sip/index.ts";
import { ACCEPTED } from "./notify-content.ts";
import { OLDER_THAN_RING, type Parties, type TakenMessage } from "./take-message.ts";

/** As TS 24.379 4.8 has it for a key that is refused. No more is said: which check it was is for the own log. */
export const WARNING_TEXT = "136 authentication of the MIKEY-SAKKE I_MESSAGE failed";

/** In its place where the message is older than the ring of this client: a GMS that knows it seals the GMK anew. */
export const OLDER_WARNING_TEXT = "137 the MIKEY-SAKKE I_MESSAGE is older than the keys of this client";

/**
 * Said besides when T is what was refused, as it is known to both sides and tells nothing of a key: the GMS sends the
 * message again, as it may be the clock of either that was wrong.
 */
export const TIME_TEXT = "T of the I_MESSAGE is outside the window of the receiver";
const TIME_CODES: ReadonlySet<ErrorCode> = new Set(["TIME_OUTSIDE_WINDOW"]);

/** Returns whether nothing but the time was wrong with what was refused. */
export function isRefusedForTime(refused: readonly { readonly error: MikeySakkeError }[]): boolean {
  return refused.length > 0 && refused.every(({ error }) => TIME_CODES.has(error.code));
}

/** Checks that say that a KMS is not acceptable (5.2.8). */
const KMS_CODES: ReadonlySet<ErrorCode> = new Set([
  "UNKNOWN_INITIATOR_KMS",
  "RESPONDER_KMS_NOT_MINE",
  "KMS_NOT_VALID",
]);

export interface AnswerOptions {
  readonly userUri: string;
  /** The KMSs that key this user, for a KMS Redirect Response; undefined: 488 without a body. */
  readonly proposedKmsUris: readonly string[] | undefined;
}

export function answerOf(taken: readonly TakenMessage[], options: AnswerOptions): Answer {
  if (taken.some(({ outcome }) => outcome === "failed")) return { status: 500 };
  const refused = taken.filter((message) => message.outcome === "refused");
  if (refused.length === 0) return { status: 200 };
  const isOnlyOld = refused.every(({ error }) => error.code === OLDER_THAN_RING);
  const agent = hostOf(options.userUri);
  const texts = [
    isOnlyOld ? OLDER_WARNING_TEXT : WARNING_TEXT,
    ...(isRefusedForTime(refused) ? [TIME_TEXT] : []),
  ];
  const warnings = texts.map((text) => ({ code: 399, agent, text }));
  const body = redirect(refused, options);
  return {
    status: 488,
    headers: (headers) => void headers.set(WARNING, ...warnings),
    ...(body !== undefined && { contentType: MEDIA.krr, body }),
  };
}

/** To a NOTIFY that could not be read. */
export function answerOfError(error: unknown): Answer {
  if (!(error instanceof MikeySakkeError) || error.kind !== "codec") return { status: 500 };
  if (error.code !== "NOTIFY_TYPE") return { status: 400 };
  const accept = ACCEPTED.map((value) => ({ value, params: new Map() }));
  return { status: 415, headers: (headers) => void headers.set(ACCEPT, ...accept) };
}

/** Redirect for the first of several refused messages: the GMS then sends each alone to learn which were refused. */
function redirect(
  refused: readonly { readonly error: MikeySakkeError; readonly parties: Parties | undefined }[],
  { userUri, proposedKmsUris }: AnswerOptions,
): Uint8Array | undefined {
  const first = refused.find(({ error }) => KMS_CODES.has(error.code));
  if (proposedKmsUris === undefined || first?.parties === undefined) return undefined;
  const { initiator, responder, initiatorKms, responderKms } = first.parties;
  const isInitiators = first.error.code === "UNKNOWN_INITIATOR_KMS";
  const krr = {
    receiverUri: responder ?? userUri,
    rejectedKmsUri: isInitiators ? initiatorKms : responderKms,
    rejectingEntityUri: userUri,
    proposedKmsUris,
    ...defined({ initiatorUri: initiator }),
  };
  return utf8(writeKrr(krr));
}

/** RFC 3261 20.43: a host, or a name of its own. */
function hostOf(uri: string): string {
  try {
    const parsed = parseUri(uri);
    return isSipUri(parsed) ? parsed.host : "mc-client";
  } catch {
    return "mc-client";
  }
}
