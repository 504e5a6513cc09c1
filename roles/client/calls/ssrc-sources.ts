/**
 * From which host each SSRC comes, where no server vouches for that. Every member can seal under the keys of any other, so
 * one packet with a number far ahead would have receivers take the other's next ones for old. A bound on how far numbers
 * may jump does not help: who seals one packet can seal two in a row, or go in steps. So an SSRC stays with the host that
 * used it first, as RFC 3550 8.2 has it for collisions; who changes the address has to draw another (RFC 3550 8).
 */

/** An SSRC is drawn for each call; the first of a host is forgotten for one more. */
const MAX_OF_HOST = 64;
/** Hosts; the one whose last new SSRC is longest ago goes. */
const MAX_HOSTS = 1024;

export class SsrcSources {
  readonly #hosts = new Map<number, string>();
  readonly #ssrcs = new Map<string, Set<number>>();

  /** Returns whether another host has used the SSRC. */
  isOther(ssrc: number, host: string): boolean {
    const known = this.#hosts.get(ssrc);
    return known !== undefined && known !== host;
  }

  /** Something authentic came from there: first of a stream, or of the floor control that belongs to it. */
  bind(ssrc: number, host: string): void {
    if (this.#hosts.has(ssrc)) return;
    const those = this.#ssrcs.get(host) ?? new Set();
    if (those.size >= MAX_OF_HOST) this.#forget(those, those.values().next().value!);
    those.add(ssrc);
    this.#hosts.set(ssrc, host);
    this.#ssrcs.delete(host);
    this.#ssrcs.set(host, those);
    if (this.#ssrcs.size <= MAX_HOSTS) return;
    const [first] = this.#ssrcs;
    const [name, old] = first!;
    this.#ssrcs.delete(name);
    for (const other of old) this.#forget(old, other);
  }

  #forget(those: Set<number>, ssrc: number): void {
    those.delete(ssrc);
    this.#hosts.delete(ssrc);
  }
}
