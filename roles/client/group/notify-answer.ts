/**
 * The answer to a NOTIFY is that of the member to the messages in it (TS 33.180 5.7.2.x step 2): 200 when all are stored,
 * 488 when a check fails. What failed on this side only is 500, so that the GMS tries again.
 */
import { utf8 } from "../../../bindings/bytes.ts";
import { MikeySakkeError } from "../../../bindings/errors.ts";
import { MEDIA, writeKrr } from "../../../transport/group-xml/index.ts";
import { ACCEPT, type Answer, isSipUri, parseUri, WARNING } from "../../../transport/sip/index.ts";
import { ACCEPTED } from "./notify-content.ts";
import type { Parties, TakenMessage } from "./take-message.ts";

/** As TS 24.379 4.8 has it for a key that is refused. No more is said: which check it was is for the own log. */
export const WARNING_TEXT = "136 authentication of the MIKEY-SAKKE I_MESSAGE failed";

/** Checks that say that a KMS is not acceptable (5.2.8). */
const KMS_CODES: ReadonlySet<string> = new Set([
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
  const warning = { code: 399, agent: hostOf(options.userUri), text: WARNING_TEXT };
  const body = redirect(refused, options);
  return {
    status: 488,
    headers: (headers) => void headers.set(WARNING, warning),
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

/** Of several that are refused the first one: a GMS that sent more than one sends each alone to learn which. */
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
    ...(initiator !== undefined && { initiatorUri: initiator }),
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
