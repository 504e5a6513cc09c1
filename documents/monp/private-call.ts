/**
 * Messages of off-network call control, as far as private calls have them (MONP, TS 24.379 15). Call identifiers have 16 bits,
 * and texts a length of 16 bits before them.
 */
import { concat, fromUtf8, utf8 } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";

/** Table 15.2.2-1. */
export const PRIVATE_CALL_MESSAGES = {
  "PRIVATE CALL SETUP REQUEST": 8,
  "PRIVATE CALL RINGING": 9,
  "PRIVATE CALL ACCEPT": 10,
  "PRIVATE CALL REJECT": 11,
  "PRIVATE CALL RELEASE": 12,
  "PRIVATE CALL RELEASE ACK": 13,
  "PRIVATE CALL ACCEPT ACK": 14,
} as const;

export type PrivateCallMessageName = keyof typeof PRIVATE_CALL_MESSAGES;

/** Table 15.2.8-1: why a call is rejected. */
export const REJECT_REASONS = {
  reject: 0,
  "media-failure": 1,
  busy: 2,
  "security-failure": 3,
  failed: 4,
} as const;

export type RejectReason = keyof typeof REJECT_REASONS;

/** The caller and the callee, which are the same in all messages of a call. */
interface Parties {
  readonly callId: number;
  /** MCPTT IDs. */
  readonly caller: string;
  readonly callee: string;
}

export type PrivateCallMessage = Parties &
  (
    | {
        readonly name: "PRIVATE CALL SETUP REQUEST";
        /** The callee's user is to be asked; otherwise the call begins at once. */
        readonly manual: boolean;
        readonly sdp: Uint8Array;
      }
    | { readonly name: "PRIVATE CALL ACCEPT"; readonly sdp: Uint8Array }
    | { readonly name: "PRIVATE CALL REJECT"; readonly reason: RejectReason }
    | {
        readonly name:
          | "PRIVATE CALL RINGING"
          | "PRIVATE CALL RELEASE"
          | "PRIVATE CALL RELEASE ACK"
          | "PRIVATE CALL ACCEPT ACK";
      }
  );

/** Table 15.2.11-1; an emergency private call has 6. */
const CALL_TYPE_PRIVATE = 5;
const MANUAL = 1;
const MAX_URI_BYTES = 1024;
const MAX_SDP_BYTES = 16_384;

const NAMES = new Map<number, PrivateCallMessageName>(
  Object.entries(PRIVATE_CALL_MESSAGES).map(([name, type]) => [type, name as PrivateCallMessageName]),
);
const REASONS = new Map<number, RejectReason>(
  Object.entries(REJECT_REASONS).map(([name, value]) => [value, name as RejectReason]),
);

/** @throws {MikeySakkeError} usage `BAD_MONP`: a text that is empty, or longer than its reader takes */
export function encodePrivateCallMessage(message: PrivateCallMessage): Uint8Array {
  const { name, callId, caller, callee } = message;
  const parties = concat(text(utf8(caller), MAX_URI_BYTES), text(utf8(callee), MAX_URI_BYTES));
  const head = (...octets: number[]) =>
    Uint8Array.of(PRIVATE_CALL_MESSAGES[name], callId >> 8, callId & 0xff, ...octets);
  switch (message.name) {
    case "PRIVATE CALL SETUP REQUEST":
      return concat(
        head(message.manual ? MANUAL : 0, CALL_TYPE_PRIVATE),
        parties,
        text(message.sdp, MAX_SDP_BYTES),
      );
    case "PRIVATE CALL ACCEPT":
      return concat(head(), parties, text(message.sdp, MAX_SDP_BYTES));
    case "PRIVATE CALL REJECT":
      return concat(head(REJECT_REASONS[message.reason]), parties);
    default:
      return concat(head(), parties);
  }
}

/**
 * Undefined for a message that is none of these, as of a group call. Optional elements behind the mandatory ones are passed over.
 *
 * @throws {MikeySakkeError} codec `BAD_MONP`
 */
export function decodePrivateCallMessage(octets: Uint8Array): PrivateCallMessage | undefined {
  const name = NAMES.get(octets[0] ?? 0);
  if (name === undefined) return undefined;
  const fields = new Fields(octets.subarray(1), name);
  const callId = fields.number(2, "call identifier");
  if (name === "PRIVATE CALL SETUP REQUEST") {
    const manual = fields.number(1, "commencement mode") === MANUAL;
    const type = fields.number(1, "call type");
    if (type !== CALL_TYPE_PRIVATE) throw bad(`${name}: call type ${type}, must be ${CALL_TYPE_PRIVATE}`);
    return { name, callId, manual, ...fields.parties(), sdp: fields.text("SDP", MAX_SDP_BYTES) };
  }
  if (name === "PRIVATE CALL REJECT") {
    // One that is not known is no more than a rejection.
    const reason = REASONS.get(fields.number(1, "reason")) ?? "reject";
    return { name, callId, reason, ...fields.parties() };
  }
  const parties = fields.parties();
  if (name === "PRIVATE CALL ACCEPT")
    return { name, callId, ...parties, sdp: fields.text("SDP", MAX_SDP_BYTES) };
  return { name, callId, ...parties };
}

class Fields {
  readonly #octets: Uint8Array;
  readonly #message: string;
  #at = 0;

  constructor(octets: Uint8Array, message: string) {
    this.#octets = octets;
    this.#message = message;
  }

  number(bytes: number, what: string): number {
    return this.#take(bytes, what).reduce((sum, octet) => sum * 256 + octet, 0);
  }

  text(what: string, most: number): Uint8Array {
    const length = this.number(2, `length of ${what}`);
    if (length === 0 || length > most) {
      throw bad(`${this.#message}: ${what} of ${length} octets, must be 1 to ${most}`);
    }
    return this.#take(length, what).slice();
  }

  parties(): { caller: string; callee: string } {
    return { caller: this.#uri("caller"), callee: this.#uri("callee") };
  }

  #uri(what: string): string {
    const uri = this.text(what, MAX_URI_BYTES);
    // RFC 3986 2: a URI has printable characters of ASCII and no spaces.
    if (uri.some((octet) => octet <= 0x20 || octet >= 0x7f)) throw bad(`${this.#message}: ${what} is no URI`);
    return fromUtf8(uri, what);
  }

  #take(bytes: number, what: string): Uint8Array {
    const left = this.#octets.length - this.#at;
    if (bytes > left) throw bad(`${this.#message}: ${what} needs ${bytes} octets, ${left} are left`);
    this.#at += bytes;
    return this.#octets.subarray(this.#at - bytes, this.#at);
  }
}

function text(octets: Uint8Array, most: number): Uint8Array {
  if (octets.length === 0 || octets.length > most) {
    throw bad(`a text of ${octets.length} octets, must be 1 to ${most}`, "usage");
  }
  return concat(Uint8Array.of(octets.length >> 8, octets.length & 0xff), octets);
}

function bad(detail: string, kind: "codec" | "usage" = "codec"): MikeySakkeError {
  return new MikeySakkeError(kind, "BAD_MONP", `MONP: ${detail}`);
}
