/** Whom floor control names as talkers: media of others are not what they claim to be (TS 24.380 8.2.3.6, 8.2.3.16). */

const MAX_CLAIMS = 16;
/** Talkers named last: media of the one before may still be on their way. */
const RECENT = 2;

export class Claims {
  readonly #bySsrc = new Map<number, string>();
  #recent: readonly string[] = [];

  /** Somebody talks, with this SSRC if it was said. */
  take(user: string, ssrc: number | undefined): void {
    this.#recent = [user, ...this.#recent.filter((other) => other !== user)].slice(0, RECENT);
    if (ssrc === undefined) return;
    this.#bySsrc.delete(ssrc);
    const [oldest] = this.#bySsrc.keys();
    if (this.#bySsrc.size >= MAX_CLAIMS) this.#bySsrc.delete(oldest!);
    this.#bySsrc.set(ssrc, user);
  }

  /** Those of whom media with this SSRC may be; none: nothing was said yet. */
  of(ssrc: number): readonly string[] {
    const user = this.#bySsrc.get(ssrc);
    return user === undefined ? this.#recent : [user];
  }
}
