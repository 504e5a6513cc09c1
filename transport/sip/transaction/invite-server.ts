/** The server transaction of INVITE (RFC 3261 17.2.1, with the state "accepted" of RFC 6026 7.1). */

import { Timer } from "../../../base/clock.ts";
import { type SipRequest, type SipResponse, writeMessage } from "../codec/message.ts";
import { type ServerParts, ServerTransaction } from "./server.ts";

export class InviteServer extends ServerTransaction {
  #state: "proceeding" | "completed" | "confirmed" | "accepted" = "proceeding";
  /** Timer G: sends the response again. */
  readonly #again: Timer;

  constructor(parts: ServerParts) {
    super(parts);
    this.#again = new Timer(parts.clock);
  }

  get answered(): boolean {
    return this.#state !== "proceeding";
  }

  respond(response: SipResponse): void {
    if (this.over) return;
    // RFC 6026 7.1: in "accepted" the user agent sends its 2xx again through the transaction.
    const repeats2xx = this.#state === "accepted" && response.status >= 200 && response.status < 300;
    if (this.#state !== "proceeding" && !repeats2xx) return;
    this.last = writeMessage(response);
    this.sendLast();
    if (response.status < 200 || repeats2xx) return;
    const { t1 } = this.timers;
    if (response.status < 300) {
      this.#state = "accepted";
      this.limit.set(64 * t1, () => this.end());
      return;
    }
    this.#state = "completed";
    this.keep();
    if (!this.flow.reliable) this.#again.set(t1, () => this.#repeat(t1));
    this.limit.set(64 * t1, () => this.end());
  }

  #repeat(interval: number): void {
    const next = Math.min(2 * interval, this.timers.t2);
    this.sendLast();
    this.#again.set(next, () => this.#repeat(next));
  }

  receive(request: SipRequest, octets: number): void {
    if (request.method !== "ACK") {
      if (this.#state === "proceeding" || this.#state === "completed") this.repeatLast(octets);
      return;
    }
    if (this.#state !== "completed") return;
    this.#state = "confirmed";
    this.#again.clear();
    // Timer I: copies of the ACK are taken in for T4.
    if (this.flow.reliable) this.end();
    else this.limit.set(this.timers.t4, () => this.end());
  }

  override end(): void {
    this.#again.clear();
    super.end();
  }
}
