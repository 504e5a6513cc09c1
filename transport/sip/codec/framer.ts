/** Cuts a stream into messages by Content-Length (RFC 3261 18.3), and sees keep-alives (RFC 5626 3.5.1). */
import { OctetBuffer } from "../../../base/octet-buffer.ts";
import { DEFAULT_LIMITS, type SipLimits } from "./limits.ts";
import { endOfHead, sipError } from "./parse.ts";

export interface FramerEvents {
  /** The octets of one message, as parseMessage reads them. */
  message(bytes: Uint8Array): void;
  /** The head of a message whose body is above the limit. It is the last event. */
  tooLarge?(head: Uint8Array): void;
  /**
   * One or more double CRLFs between messages came together, to be answered with one CRLF (RFC 5626 4.4.1). Only who
   * accepted a flow has it.
   */
  ping?(): void;
  /** One or more single CRLFs between messages: the answer to a ping, for who opened a flow. */
  pong?(): void;
}

const LENGTH = /(?:^|\r\n)(?:content-length|l)[ \t]*:[ \t]*([^\r]*)/gi;
const latin1 = new TextDecoder("latin1");
const CR = 13;
const LF = 10;

export class StreamFramer {
  readonly #events: FramerEvents;
  readonly #limits: SipLimits;
  /** The part of a message that is not complete. */
  #held = new OctetBuffer();
  /** Octets that the next message has in all, once its head has been read. */
  #wanted: number | undefined;
  /** The offset at which the search for the end of the head goes on. */
  #searched = 0;
  #hasPing = false;
  #hasPong = false;

  constructor(events: FramerEvents, limits: SipLimits = DEFAULT_LIMITS) {
    this.#events = events;
    this.#limits = limits;
  }

  /** Part of a message has come, and not the rest. */
  get pending(): boolean {
    return this.#held.length > 0;
  }

  /** Octets of memory that the unfinished message takes: at most twice those that came, and 512. */
  get held(): number {
    return this.#held.capacity;
  }

  /**
   * True when what was begun is complete. Throws a codec error when the border of a message cannot be known, or lies too
   * far away: the stream is of no use after that.
   */
  push(bytes: Uint8Array): boolean {
    const isJoined = this.#held.length > 0;
    if (isJoined) this.#held.add(bytes);
    const all = isJoined ? this.#held.octets : bytes;
    this.#hasPing = false;
    this.#hasPong = false;
    let at = 0;
    let whole = false;
    for (let next = this.#take(all, at); next > at; next = this.#take(all, at)) {
      at = next;
      whole = true;
    }
    if (at > 0 || !isJoined) this.#keep(all.subarray(at));
    if (this.#hasPing) this.#events.ping?.();
    if (this.#hasPong) this.#events.pong?.();
    return whole;
  }

  /** In a buffer of its own size: the old one may have held a long message. */
  #keep(rest: Uint8Array): void {
    const held = new OctetBuffer();
    if (rest.length > 0) held.add(rest);
    this.#held = held;
  }

  /** Returns where what follows one message or empty line begins; `from` when more octets are needed. */
  #take(all: Uint8Array, from: number): number {
    if (this.#wanted === undefined) {
      if (all[from] === CR && all[from + 1] === LF) return this.#takeEmptyLine(all, from);
      const length = this.#lengthOf(all.subarray(from));
      if (length === undefined) return from;
      this.#wanted = length;
    }
    if (all.length - from < this.#wanted) return from;
    const next = from + this.#wanted;
    this.#wanted = undefined;
    this.#events.message(all.slice(from, next));
    return next;
  }

  /** Octets of the message, once its head is there. */
  #lengthOf(buffer: Uint8Array): number | undefined {
    const end = endOfHead(buffer, this.#searched, this.#limits.head);
    if (end < 0) {
      this.#searched = Math.max(0, buffer.length - 3);
      if (buffer.length < this.#limits.head) return undefined;
      throw sipError("SIP_TOO_LARGE", `more than ${this.#limits.head} octets of header`);
    }
    this.#searched = 0;
    const head = buffer.subarray(0, end);
    const length = bodyLength(head);
    if (length > this.#limits.body) {
      this.#events.tooLarge?.(head);
      throw sipError("SIP_TOO_LARGE", `body of more than ${this.#limits.body} octets`);
    }
    return end + length;
  }

  #takeEmptyLine(all: Uint8Array, from: number): number {
    // One CRLF is a pong, or the first half of a ping.
    if (this.#events.ping === undefined) {
      this.#hasPong = true;
      return from + 2;
    }
    if (all[from + 2] === CR && all[from + 3] === LF) {
      this.#hasPing = true;
      return from + 4;
    }
    const left = all.length - from;
    return left === 2 || (left === 3 && all[from + 2] === CR) ? from : from + 2;
  }
}

function bodyLength(head: Uint8Array): number {
  const text = latin1.decode(head).replace(/\r\n[ \t]+/g, " ");
  const found = [...text.matchAll(LENGTH)].map((match) => match[1]!.trimEnd());
  if (found.length !== 1 || !/^[0-9]+$/.test(found[0]!)) {
    throw sipError("SIP_LENGTH", "a stream needs one Content-Length");
  }
  return Number(found[0]);
}
