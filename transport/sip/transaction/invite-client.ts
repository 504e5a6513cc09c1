/** The client transaction of INVITE (RFC 3261 17.1.1, with the state "accepted" of RFC 6026 7.2). */

import { FROM, ROUTE, TO, VIA } from "../codec/addresses.ts";
import { createRequest, type SipRequest, type SipResponse, writeMessage } from "../codec/message.ts";
import { CALL_ID, CSEQ, MAX_FORWARDS } from "../codec/scalars.ts";
import { ClientTransaction } from "./client.ts";

/** Timer D: at least 32 seconds where responses may be lost. */
const TIMER_D = 32_000;

export class InviteClient extends ClientTransaction {
  #state: "calling" | "proceeding" | "completed" | "accepted" = "calling";

  start(): void {
    const { t1 } = this.parts.timers;
    this.send(this.octets);
    this.limit.set(64 * t1, () => this.fail("timeout"));
    if (!this.flow.reliable) this.again.set(t1, () => this.#repeat(2 * t1));
  }

  #repeat(next: number): void {
    this.send(this.octets);
    this.again.set(next, () => this.#repeat(2 * next));
  }

  receive(response: SipResponse): void {
    if (this.over) return;
    const final = response.status >= 200;
    if (this.#state === "accepted") {
      // RFC 6026 7.2: every 2xx goes up, since each may be of another fork.
      if (final && response.status < 300) this.parts.events.response(response);
      return;
    }
    if (this.#state === "completed") {
      if (response.status >= 300) this.#acknowledge(response);
      return;
    }
    this.again.clear();
    if (!final) {
      this.#state = "proceeding";
      this.limit.clear();
    } else if (response.status < 300) {
      this.#state = "accepted";
      this.limit.set(64 * this.parts.timers.t1, () => this.end());
    } else {
      this.#state = "completed";
      this.#acknowledge(response);
      if (this.flow.reliable) this.end();
      else this.limit.set(TIMER_D, () => this.end());
    }
    this.parts.events.response(response);
  }

  #acknowledge(response: SipResponse): void {
    this.send(writeMessage(acknowledgement(this.parts.request, response)));
  }

  flowClosed(): void {
    if (this.#state === "calling" || this.#state === "proceeding") this.fail("transport");
  }
}

/** 17.1.1.3: the ACK of a response that is no 2xx, with the one Via of the INVITE. */
function acknowledgement(invite: SipRequest, response: SipResponse): SipRequest {
  const ack = createRequest("ACK", invite.uri);
  ack.headers
    .set(VIA, invite.headers.need(VIA))
    .copy(ROUTE, invite.headers)
    .set(MAX_FORWARDS, 70)
    .copy(FROM, invite.headers)
    .copy(TO, response.headers)
    .copy(CALL_ID, invite.headers)
    .set(CSEQ, { number: invite.headers.need(CSEQ).number, method: "ACK" });
  return ack;
}
