/** The queue for the floor off-network, ordered by priority, then by arrival (TS 24.380 7.2). */

export interface WaitingMember {
  /** SSRC of their media and floor messages, which tells devices of one user apart. */
  readonly ssrc: number;
  readonly user: string;
  readonly priority: number;
}

/** 8.2.3.6: 254 and 255 have meanings of their own. */
const LAST_POSITION = 253;

export class WaitingList {
  #members: readonly WaitingMember[] = [];

  get size(): number {
    return this.#members.length;
  }

  has(ssrc: number): boolean {
    return this.#members.some((member) => member.ssrc === ssrc);
  }

  /** Adds a member behind those of the same priority; a member who waits already keeps their arrival. */
  enter(member: WaitingMember): void {
    const known = this.#members.some(({ ssrc }) => ssrc === member.ssrc);
    const members = known
      ? this.#members.map((other) => (other.ssrc === member.ssrc ? member : other))
      : [...this.#members, member];
    // Sorting keeps the order of equals.
    this.#members = members.sort((a, b) => b.priority - a.priority);
  }

  remove(ssrc: number): boolean {
    const before = this.#members.length;
    this.#members = this.#members.filter((member) => member.ssrc !== ssrc);
    return this.#members.length < before;
  }

  takeFirst(): WaitingMember | undefined {
    const [first, ...rest] = this.#members;
    this.#members = rest;
    return first;
  }

  clear(): void {
    this.#members = [];
  }

  /** Each with its position, from 1. */
  positions(): { readonly member: WaitingMember; readonly position: number }[] {
    return this.#members.map((member, at) => ({ member, position: Math.min(at + 1, LAST_POSITION) }));
  }
}
