/** Cuts a stream into messages by Content-Length (RFC 3261 18.3), and sees keep-alives (RFC 5626 3.5.1). */
import { concat } from "../../../bindings/bytes.ts";
import { DEFAULT_LIMITS, type SipLimits } from "./limits.ts";
import { endOfHead, sipError } from "./parse.ts";

export interface FramerEvents {
  /** The octets of one message, as parseMessage reads them. */
  message(bytes: Uint8Array): void;
  /** A double CRLF between messages, to be answered with one CRLF (RFC 5626 4.4.1). Only who accepted a flow has it. */
  ping?(): void;
}

const LENGTH = /(?:^|\r\n)(?:content-length|l)[ \t]*:[ \t]*([^\r]*)/gi;
const latin1 = new TextDecoder("latin1");

export class StreamFramer {
  readonly #events: FramerEvents;
  readonly #limits: SipLimits;
  #parts: Uint8Array[] = [];
  #held = 0;
  /** Octets that the next message has in all, once its head has been read. */
  #wanted: number | undefined;
  /** Where the search for the end of the head goes on. */
  #searched = 0;

  constructor(events: FramerEvents, limits: SipLimits = DEFAULT_LIMITS) {
    this.#events = events;
    this.#limits = limits;
  }

  /** Part of a message has come, and not the rest. */
  get pending(): boolean {
    return this.#held > 0;
  }

  /**
   * True when what was begun is complete. Throws a codec error when the border of a message cannot be known: the
   * stream is of no use after that.
   */
  push(bytes: Uint8Array): boolean {
    this.#parts.push(bytes);
    this.#held += bytes.length;
    // A large body comes in many pieces: they are joined once.
    if (this.#wanted !== undefined && this.#held < this.#wanted) return false;
    let buffer = this.#parts.length === 1 ? bytes : concat(...this.#parts);
    let whole = false;
    for (let rest = this.#take(buffer); rest !== undefined; rest = this.#take(buffer)) {
      buffer = rest;
      whole = true;
    }
    this.#parts = buffer.length === 0 ? [] : [buffer];
    this.#held = buffer.length;
    return whole;
  }

  /** Takes one message or empty lines off the front; undefined when more octets are needed. */
  #take(buffer: Uint8Array): Uint8Array | undefined {
    if (this.#wanted === undefined) {
      if (buffer[0] === 13 && buffer[1] === 10) return this.#takeEmptyLine(buffer);
      const end = endOfHead(buffer, this.#searched);
      if (end < 0 || end > this.#limits.head) {
        this.#searched = Math.max(0, buffer.length - 3);
        if (buffer.length > this.#limits.head) {
          throw sipError("SIP_TOO_LARGE", `more than ${this.#limits.head} octets of header`);
        }
        return undefined;
      }
      this.#searched = 0;
      this.#wanted = end + this.#bodyLength(buffer.subarray(0, end));
    }
    if (buffer.length < this.#wanted) return undefined;
    const message = buffer.slice(0, this.#wanted);
    const rest = buffer.subarray(this.#wanted);
    this.#wanted = undefined;
    this.#events.message(message);
    return rest;
  }

  #takeEmptyLine(buffer: Uint8Array): Uint8Array | undefined {
    if (this.#events.ping !== undefined && buffer[2] === 13 && buffer[3] === 10) {
      this.#events.ping();
      return buffer.subarray(4);
    }
    // One CRLF is a pong, or the first half of a ping.
    if (this.#events.ping === undefined) return buffer.subarray(2);
    const half = buffer.length === 2 || (buffer.length === 3 && buffer[2] === 13);
    return half ? undefined : buffer.subarray(2);
  }

  #bodyLength(head: Uint8Array): number {
    const text = latin1.decode(head).replace(/\r\n[ \t]+/g, " ");
    const found = [...text.matchAll(LENGTH)].map((match) => match[1]!.trimEnd());
    if (found.length !== 1 || !/^[0-9]+$/.test(found[0]!)) {
      throw sipError("SIP_LENGTH", "a stream needs one Content-Length");
    }
    const length = Number(found[0]);
    if (length > this.#limits.body) {
      throw sipError("SIP_TOO_LARGE", `body of more than ${this.#limits.body} octets`);
    }
    return length;
  }
}
