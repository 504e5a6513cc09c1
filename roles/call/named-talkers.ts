/**
 * Whom floor control names as talkers: media of others are not what they claim to be (TS 24.380 8.2.3.6, 8.2.3.16). Whose
 * SSRC was named has that one only; who talked before, for as long as packets may still be on their way.
 */

interface Named {
  readonly user: string;
  /** Undefined: floor control did not say. */
  readonly ssrc: number | undefined;
  /** When the talk ended; undefined while it goes on. */
  endedAt: number | undefined;
  /** When media under the SSRC came last. */
  heardAt: number;
}

export interface Claim {
  /** Whose media may have that SSRC, or, where it is nobody's, who talks; none: nothing was said yet. */
  readonly users: readonly string[];
  /** False when the SSRC is not that of the talkers, who have others. */
  readonly isTheirs: boolean;
  /** Floor control has said the SSRC. */
  readonly isNamed: boolean;
}

const MAX_NAMED = 16;
/** Milliseconds that packets of a talk may come behind the message that ends it. */
const LATE_MS = 2000;
/** Milliseconds without media after which a named talker is taken to be silent. */
const SILENT_MS = 500;

export class NamedTalkers {
  readonly #several: boolean;
  /** The last one named in front. */
  #named: readonly Named[] = [];

  /** `several` may talk at a time, so that naming one does not end the talk of another. */
  constructor(several = false) {
    this.#several = several;
  }

  /** Somebody talks, with this SSRC if it was said. */
  take(user: string, ssrc: number | undefined, now: number): void {
    if (!this.#several) this.ended(now);
    const known = this.#named.find((named) => named.user === user && named.ssrc === ssrc);
    const others = this.#named.filter((named) => named !== known);
    for (const other of others) if (other.user === user) other.endedAt ??= now;
    const named = { user, ssrc, endedAt: undefined, heardAt: known?.heardAt ?? Number.NEGATIVE_INFINITY };
    this.#named = [named, ...others].slice(0, MAX_NAMED);
  }

  /** Nobody talks any more; with `ssrc`, only the talker with that SSRC has stopped. */
  ended(now: number, ssrc?: number): void {
    for (const named of this.#named) if (ssrc === undefined || named.ssrc === ssrc) named.endedAt ??= now;
  }

  of(ssrc: number, now: number): Claim {
    const recent = this.#named.filter(({ endedAt }) => endedAt === undefined || now < endedAt + LATE_MS);
    const owner = recent.find((named) => named.ssrc === ssrc);
    if (owner !== undefined) return { users: [owner.user], isTheirs: true, isNamed: true };
    // A talker whose SSRC is known is not the one who sends under this one.
    const open = recent.filter((named) => named.ssrc === undefined);
    if (open.length > 0) return { users: open.map(({ user }) => user), isTheirs: true, isNamed: false };
    const talking = recent.filter(({ endedAt }) => endedAt === undefined);
    return { users: talking.map(({ user }) => user), isTheirs: talking.length === 0, isNamed: false };
  }

  /** Media came under an SSRC that was named, of the one whose it is. */
  heard(ssrc: number, now: number): void {
    const named = this.#named.find((one) => one.ssrc === ssrc);
    if (named !== undefined) named.heardAt = now;
  }

  /** Returns whether somebody who talks, and whose SSRC was named, is heard at the time. */
  isHeard(now: number): boolean {
    return this.#named.some(({ endedAt, heardAt }) => endedAt === undefined && now < heardAt + SILENT_MS);
  }
}
