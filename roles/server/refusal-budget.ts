/**
 * Limits the refusals that are written into an audit log: so many, and so many octets, a minute, or anybody could fill
 * the database.
 */

const MINUTE = 60_000;
/** Octets of the entries of one identity a minute, and of all that no token vouches for together. */
const OCTETS = 128 << 10;

export interface RefusalLimits {
  /** Audit entries a minute for requests without a valid token. */
  readonly anonymousAuditPerMinute: number;
  /** Audit entries a minute for refused requests of one identity. */
  readonly refusedAuditPerMinute: number;
}

export class RefusalBudget {
  readonly #limits: RefusalLimits;
  #minute = 0;
  /** In this minute, by identity; undefined: no good token. */
  readonly #refusals = new Map<string | undefined, { count: number; octets: number }>();

  constructor(limits: RefusalLimits) {
    this.#limits = limits;
  }

  /** Returns whether one more is written. `now` in milliseconds; `entry` is what would be written. */
  take(who: string | undefined, now: number, entry: object): boolean {
    const minute = Math.floor(now / MINUTE);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#refusals.clear();
    }
    const spent = this.#refusals.get(who) ?? { count: 0, octets: 0 };
    this.#refusals.set(who, spent);
    const { anonymousAuditPerMinute, refusedAuditPerMinute } = this.#limits;
    const most = who === undefined ? anonymousAuditPerMinute : refusedAuditPerMinute;
    if (spent.count >= most || spent.octets >= OCTETS) return false;
    spent.count++;
    spent.octets += Buffer.byteLength(JSON.stringify(entry));
    return true;
  }
}
