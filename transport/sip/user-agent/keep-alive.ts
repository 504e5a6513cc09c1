/**
 * Asks a peer now and then whether it is still there (RFC 5626 3.5, 4.4). Where a connection leads to the peer itself,
 * a double CRLF is enough. Elsewhere, over UDP and by way of proxies, it is an OPTIONS, which only the peer answers, and
 * which says as well that the peer knows nothing of us any more.
 */

import { Timer } from "../../../base/clock.ts";
import { fraction } from "../../../base/random.ts";
import type { SipCore } from "../core/core.ts";
import { isGone } from "../core/reasons.ts";
import type { Flow } from "../socket/ports.ts";
import { Patience } from "../transaction/timers.ts";

export interface KeepAliveOptions {
  /** Milliseconds from one question to the next. Each is drawn from the last fifth of it (RFC 5626 4.4). */
  readonly interval: number;
  /** Milliseconds that the answer may take. Over UDP an OPTIONS is repeated after 500 and 1,500. */
  readonly limit: number;
}

/**
 * Finds out within 7.5 seconds that a host fell silent. 5,000 clients make 1,100 questions a second at the most: docs/gms.md
 * has what they cost.
 */
export const KEEP_ALIVE: KeepAliveOptions = { interval: 5000, limit: 2500 };

export interface KeepAliveParts extends KeepAliveOptions {
  readonly core: SipCore;
  /** The connection that there is; undefined or another flow: the OPTIONS finds its way. */
  readonly flow: () => Flow | undefined;
  /** Whether that connection ends at the peer. */
  readonly isDirect: () => boolean;
  /** Sends an OPTIONS and resolves to the status of its answer. */
  readonly ask: () => Promise<number>;
  /** Called once: no answer, or the status of one that says that the peer is not there. */
  readonly lost: (status: number | undefined) => void;
}

export class KeepAlive {
  readonly #parts: KeepAliveParts;
  readonly #timer: Timer;
  readonly #limit: Patience;
  /** Answers to questions before the last one are of no interest. */
  #round = 0;

  constructor(parts: KeepAliveParts) {
    this.#parts = parts;
    this.#timer = new Timer(parts.core.clock);
    this.#limit = new Patience(parts.core.clock);
  }

  /** From now on; also what the peer itself sends is a sign of life, which saves the next question. */
  start(since = this.#parts.core.clock.now()): void {
    const { core, interval } = this.#parts;
    this.stop();
    const next = since + interval * (0.8 + 0.2 * fraction(core.random));
    this.#timer.set(Math.max(0, next - core.clock.now()), () => this.#question());
  }

  stop(): void {
    this.#round++;
    this.#timer.clear();
    this.#limit.clear();
  }

  #question(): void {
    const { core, limit, flow: flowNow, isDirect, ask } = this.#parts;
    const flow = flowNow();
    const connection = flow?.reliable && flow.open ? flow : undefined;
    const since = core.clock.now();
    const round = ++this.#round;
    if (connection !== undefined) core.ping(connection);
    const silent = () => connection !== undefined && core.heard(connection) < since;
    if (connection !== undefined && isDirect()) {
      this.#limit.set(limit, () => (silent() ? this.#lost(undefined, connection) : this.start(since)));
      return;
    }
    // A connection of which nothing at all was heard is of no use to others either.
    this.#limit.set(limit, () => this.#lost(undefined, silent() ? connection : undefined));
    ask().then(
      (status) => {
        if (round !== this.#round) return;
        if (isGone("OPTIONS", status)) this.#lost(status, undefined);
        else this.start(since);
      },
      // A way that is broken says so by its end, or the limit does.
      () => undefined,
    );
  }

  #lost(status: number | undefined, connection: Flow | undefined): void {
    this.stop();
    this.#parts.lost(status);
    connection?.abort();
  }
}
