/**
 * Floor control that came under the keys of one client, in all of its calls. A CSK outlives a call, so a message that was
 * recorded in one call is authentic in the next: the SSRC says which call it is of, as each call has one of its own
 * (RFC 7714 8.4). One that was overtaken says what was before, and is of no use any more.
 */
import { toHex } from "../../base/bytes.ts";
import type { UnprotectedRtcp } from "../../bindings/media/index.ts";

/** Octets are some hundred for each. A client that has had as many calls has long since uploaded a new CSK. */
const MAX_STREAMS = 4096;
/** Calls are counted from 1. */
const ANY_CALL = 0;

interface Stream {
  readonly call: number;
  highest: number;
}

/** False for a message of another call, and when a later one has come before. */
export type IsNext = (message: UnprotectedRtcp) => boolean;

export class ControlStreams {
  readonly #streams = new Map<string, Stream>();
  #calls = ANY_CALL;

  static nameOf({ mki, ssrc }: UnprotectedRtcp): string {
    return `${toHex(mki)} ${ssrc}`;
  }

  /** One more call. What is `shared`, as under a MuSiK, is of whichever call hears it. */
  call(isShared: IsNext = () => false): IsNext {
    const own = ++this.#calls;
    return (message) => this.#isNext(isShared(message) ? ANY_CALL : own, message);
  }

  #isNext(call: number, message: UnprotectedRtcp): boolean {
    const name = ControlStreams.nameOf(message);
    const known = this.#streams.get(name);
    if (known !== undefined) {
      if (known.call !== call || message.index <= known.highest) return false;
      known.highest = message.index;
      return true;
    }
    const [oldest] = this.#streams.keys();
    if (this.#streams.size >= MAX_STREAMS) this.#streams.delete(oldest!);
    this.#streams.set(name, { call, highest: message.index });
    return true;
  }
}
