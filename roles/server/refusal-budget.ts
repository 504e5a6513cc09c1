/** How many refusals are written into an audit log: so many a minute, or anybody could fill the database. */

const MINUTE = 60_000;

export interface RefusalLimits {
  /** Of requests that no token vouches for. */
  readonly anonymousAuditPerMinute: number;
  /** Of one identity. */
  readonly refusedAuditPerMinute: number;
}

export class RefusalBudget {
  readonly #limits: RefusalLimits;
  #minute = 0;
  /** In this minute, by identity; undefined: no good token. */
  readonly #refusals = new Map<string | undefined, number>();

  constructor(limits: RefusalLimits) {
    this.#limits = limits;
  }

  /** Whether one more is written. `now` in milliseconds. */
  take(who: string | undefined, now: number): boolean {
    const minute = Math.floor(now / MINUTE);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#refusals.clear();
    }
    const count = (this.#refusals.get(who) ?? 0) + 1;
    this.#refusals.set(who, count);
    const { anonymousAuditPerMinute, refusedAuditPerMinute } = this.#limits;
    return count <= (who === undefined ? anonymousAuditPerMinute : refusedAuditPerMinute);
  }
}
