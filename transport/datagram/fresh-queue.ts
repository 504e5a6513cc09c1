/**
 * Packets on their way into a connection that may be slow. A connection delays where a network of datagrams loses, and speech
 * that is late is worth nothing: what waits longest makes room, speech before floor control.
 */
import { isRtcp } from "../../bindings/media/index.ts";

export interface Outlet {
  /** Octets that were handed over and have not left yet. */
  readonly backlog: number;
  /** Calls `left` once they have, where that can be told. */
  send(bytes: Uint8Array, left: () => void): void;
}

/** Octets that may be on their way: 20 packets of G.711, 0.4 s of one talker. */
const MAX_BACKLOG = 4096;
/** Packets that wait besides: 0.2 s of one talker. */
const MAX_WAITING = 10;

interface Waiting {
  readonly bytes: Uint8Array;
  readonly done: (failed: boolean) => void;
}

export class FreshQueue {
  readonly #outlet: Outlet;
  readonly #waiting: Waiting[] = [];

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  /** `done`: handed over, or `failed` when it had to make room. */
  push(bytes: Uint8Array, done: (failed: boolean) => void): void {
    this.#waiting.push({ bytes, done });
    this.flush();
    if (this.#waiting.length <= MAX_WAITING) return;
    const speech = this.#waiting.findIndex((waiting) => !isRtcp(waiting.bytes));
    const [oldest] = this.#waiting.splice(Math.max(speech, 0), 1);
    oldest!.done(true);
  }

  flush(): void {
    while (this.#waiting.length > 0 && this.#outlet.backlog < MAX_BACKLOG) {
      const { bytes, done } = this.#waiting.shift()!;
      this.#outlet.send(bytes, () => this.flush());
      done(false);
    }
  }

  /** The connection is gone. */
  clear(): void {
    for (const { done } of this.#waiting.splice(0)) done(true);
  }
}
