/**
 * Session timers (RFC 4028): one side refreshes the session now and then, so that both know that the other is there, and
 * a session whose peer has vanished ends.
 */

import type { Clock } from "../../../base/clock.ts";
import { Timer } from "../../../base/clock.ts";
import type { Headers } from "../codec/headers.ts";
import type { SipRequest, SipResponse } from "../codec/message.ts";
import { ALLOW, MIN_SE, REQUIRE, SESSION_EXPIRES, SUPPORTED } from "../codec/scalars.ts";
import type { Answer } from "../core/incoming.ts";

export interface SessionTimerOptions {
  /** Seconds from one refresh to the end of a session without the next. */
  readonly expires: number;
  /** Seconds: what peers may not ask less than. RFC 4028 4 has at least 90. */
  readonly minimum: number;
}

/** The shortest that the standard lets anybody ask for: a call ends a minute after its peer has vanished. */
export const SESSION_TIMER: SessionTimerOptions = { expires: 90, minimum: 90 };

const TIMER = "timer";
const METHODS = ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "UPDATE"];

export interface AgreedTimer {
  readonly seconds: number;
  /** This side refreshes. */
  readonly isRefresher: boolean;
}

/** 7.1: into an INVITE or a refresh. `refresher`: the side that refreshes from then on; the peer chooses when absent. */
export function askForTimer(
  headers: Headers,
  seconds: number,
  { minimum }: SessionTimerOptions,
  refresher?: "uac" | "uas",
): void {
  headers
    .set(SUPPORTED, ...new Set([...headers.all(SUPPORTED), TIMER]))
    .set(ALLOW, ...METHODS)
    .set(SESSION_EXPIRES, { seconds, params: new Map(refresher && [["refresher", refresher]]) })
    .set(MIN_SE, { seconds: minimum, params: new Map() });
}

/** 7.2: what the 2xx says; undefined: the session has no timer. */
export function agreedBy({ headers }: SipResponse): AgreedTimer | undefined {
  const found = headers.get(SESSION_EXPIRES);
  if (found === undefined || found.seconds === 0) return undefined;
  return { seconds: found.seconds, isRefresher: found.params.get("refresher") !== "uas" };
}

/** The time that a 422 wants; undefined where it says none that is longer than what was asked for. */
export function longerTime({ status, headers }: SipResponse, seconds: number): number | undefined {
  const least = headers.get(MIN_SE)?.seconds ?? 0;
  return status === 422 && least > seconds ? least : undefined;
}

export function allowsUpdate({ headers }: SipRequest | SipResponse): boolean {
  return headers.all(ALLOW).includes("UPDATE");
}

/** 9: what this side makes of an INVITE or a refresh, or the 422 that refuses it. */
export function agree(
  { headers }: SipRequest,
  { expires, minimum }: SessionTimerOptions,
): AgreedTimer | { readonly refuse: Answer } {
  const isKnown = headers.all(SUPPORTED).includes(TIMER);
  const asked = headers.get(SESSION_EXPIRES);
  if (asked !== undefined && asked.seconds < minimum && isKnown) {
    const least = { seconds: minimum, params: new Map() };
    return { refuse: { status: 422, headers: (h) => void h.set(MIN_SE, least) } };
  }
  const least = Math.max(minimum, headers.get(MIN_SE)?.seconds ?? 0);
  const seconds = Math.max(Math.min(asked?.seconds ?? expires, expires), least);
  // A peer that does not know timers does not refresh.
  return { seconds, isRefresher: !isKnown || asked?.params.get("refresher") === "uas" };
}

/** Into the 2xx of the side that was asked. */
export function sayTimer(headers: Headers, { seconds, isRefresher }: AgreedTimer): void {
  const params = new Map([["refresher", isRefresher ? "uas" : "uac"]]);
  headers.set(ALLOW, ...METHODS).set(SESSION_EXPIRES, { seconds, params });
  if (!isRefresher) headers.set(REQUIRE, TIMER);
}

export interface SessionTimerParts {
  readonly clock: Clock;
  readonly refresh: () => void;
  readonly expired: () => void;
}

export class SessionTimer {
  readonly #parts: SessionTimerParts;
  readonly #refresh: Timer;
  readonly #expiry: Timer;

  constructor(parts: SessionTimerParts) {
    this.#parts = parts;
    this.#refresh = new Timer(parts.clock);
    this.#expiry = new Timer(parts.clock);
  }

  /** 10: a refresh at half the time, and the end shortly before all of it is over. */
  start({ seconds, isRefresher }: AgreedTimer): void {
    const { refresh, expired } = this.#parts;
    this.stop();
    if (isRefresher) this.#refresh.set(seconds * 500, refresh);
    this.#expiry.set((seconds - Math.min(32, seconds / 3)) * 1000, expired);
  }

  stop(): void {
    this.#refresh.clear();
    this.#expiry.clear();
  }
}
