/** A session that an INVITE has begun (RFC 3261 13 to 15), for either side, until a BYE. It is not renegotiated. */
import type { SipResponse } from "../codec/message.ts";
import type { Answer, Incoming } from "../core/incoming.ts";
import type { Dialog } from "../dialog/dialog.ts";
import type { Flow } from "../ports.ts";
import { Timer } from "../transaction/timers.ts";
import type { DialogUsage, UserAgent } from "../user-agent.ts";

/** bye: of the peer. lost: the peer does not answer, or its connection is gone. */
export type SessionEnd = "bye" | "lost";

export interface SipSession {
  readonly callId: string;
  /** False once it has ended, from whichever side. */
  readonly open: boolean;
  /** Ends it. Does not reject: a peer that does not answer any more has ended it too. */
  bye(): Promise<void>;
}

export interface SessionParts {
  readonly agent: UserAgent;
  readonly dialog: Dialog;
  readonly localTag: string;
  /** Not called for one's own `bye`. */
  readonly onEnd: (end: SessionEnd) => void;
}

export class Session implements SipSession, DialogUsage {
  readonly #parts: SessionParts;
  readonly #again: Timer;
  readonly #limit: Timer;
  #isOpen = true;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { agent, dialog, localTag } = parts;
    this.#again = new Timer(agent.core.clock);
    this.#limit = new Timer(agent.core.clock);
    agent.addDialog(dialog.callId, localTag, this);
  }

  get callId(): string {
    return this.#parts.dialog.callId;
  }

  get open(): boolean {
    return this.#isOpen;
  }

  /** 13.3.1.4: a 2xx is sent again until its ACK comes, or there is no session. */
  awaitAck(repeat: () => void): void {
    const { t1, t2 } = this.#parts.agent.core.timers;
    const next = (interval: number) =>
      this.#again.set(interval, () => {
        repeat();
        next(Math.min(2 * interval, t2));
      });
    next(t1);
    this.#limit.set(64 * t1, () => {
      this.#again.clear();
      void this.bye();
      this.#parts.onEnd("lost");
    });
  }

  /** 13.2.2.4: each 2xx gets an ACK, also when it comes again. */
  acknowledge(flow: Flow): void {
    const { agent, dialog } = this.#parts;
    // One that is lost is asked for by the next 2xx.
    agent.core.transmit(dialog.request("ACK"), dialog.flow ?? sameWay(flow)).catch(() => undefined);
  }

  acknowledged(): void {
    this.#again.clear();
    this.#limit.clear();
  }

  request(incoming: Incoming): Answer {
    if (!this.#parts.dialog.accept(incoming.request, incoming.flow)) return { status: 500 };
    if (incoming.request.method === "BYE") {
      this.#close();
      return { status: 200, sent: () => this.#parts.onEnd("bye") };
    }
    // 14.2: the session stays as it is.
    return { status: incoming.request.method === "INVITE" ? 488 : 405 };
  }

  async bye(): Promise<void> {
    if (!this.#isOpen) return;
    this.#close();
    const { agent, dialog } = this.#parts;
    const nextNumber = () => dialog.nextNumber();
    await agent.send(dialog.request("BYE"), { flow: dialog.flow, nextNumber }).catch(() => undefined);
  }

  /** Without a word to the peer. */
  drop(): void {
    this.#close();
  }

  #close(): void {
    this.#isOpen = false;
    this.acknowledged();
    const { agent, dialog, localTag } = this.#parts;
    agent.removeDialog(dialog.callId, localTag);
  }
}

/** A connection that is there is used; datagrams go where the dialog says. */
function sameWay(flow: Flow): Flow | undefined {
  return flow.reliable ? flow : undefined;
}

/** The 2xx that has begun a session, or the answer that has not. */
export interface InviteResult {
  readonly response: SipResponse;
  readonly session: SipSession | undefined;
}
