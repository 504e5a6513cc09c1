/**
 * Users who ask for groups that they are not in. They get one answer, whether there is such a group or not, after one time, and
 * may guess only so often, as each guess may be a question to the GMS.
 */
import type { Clock } from "../../../transport/sip/index.ts";

const MINUTE_MS = 60_000;
/** Guesses of one user in a minute: more than a list of groups that is out of date needs. */
const PER_MINUTE = 30;
/** Milliseconds: longer than it takes to ask the GMS. */
const ANSWER_AFTER = 250;

export class Outsiders {
  readonly #clock: Clock;
  #minute = 0;
  /** In this minute, by user: no more entries than there are clients. */
  readonly #guesses = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns whether the user may ask for one more group. */
  may(user: string): boolean {
    const minute = Math.floor(this.#clock.now() / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#guesses.clear();
    }
    return (this.#guesses.get(user) ?? 0) < PER_MINUTE;
  }

  /** Counts a guess, and resolves when it may be answered. */
  guessed(user: string, askedAt: number): Promise<void> {
    this.#guesses.set(user, (this.#guesses.get(user) ?? 0) + 1);
    const wait = askedAt + ANSWER_AFTER - this.#clock.now();
    return new Promise((resolve) => {
      if (wait > 0) this.#clock.after(wait, resolve);
      else resolve();
    });
  }
}
