/** What comes in with one SSRC of one sender, through changes of the GMK. */
import type { KeyId } from "../../../bindings/index.ts";
import { type GroupMki, JitterBuffer, type JitterBufferOptions } from "../../../bindings/media/index.ts";
import { guessIndex } from "../../../bindings/media/packet-index.ts";

/** Frames too late in a row, after which the sender is taken to have jumped. */
const LOST_TOUCH = 10;
const FIRST_ROC = 0x10000;

export class TalkerStream {
  readonly ssrc: number;
  /** Undefined: no member that is known of. */
  user: string | undefined;
  /** Whom floor control names, and how many packets were of somebody else since. */
  claimed: readonly string[] = [];
  odd = 0;
  lastHeard = 0;
  /** The sender's under each GMK. */
  readonly #gukIds = new Map<KeyId, KeyId>();
  readonly #options: JitterBufferOptions;
  #buffer: JitterBuffer<Int16Array>;
  #highest: number | undefined;
  #late = 0;

  constructor(ssrc: number, options: JitterBufferOptions) {
    this.ssrc = ssrc;
    this.#options = options;
    this.#buffer = new JitterBuffer(options);
  }

  /** Undefined when nothing has come under that GMK yet. */
  isUnder({ gmkId, gukId }: GroupMki): boolean | undefined {
    const known = this.#gukIds.get(gmkId);
    return known === undefined ? undefined : known === gukId;
  }

  enter({ gmkId, gukId }: GroupMki): void {
    this.#gukIds.set(gmkId, gukId);
  }

  /** Forgets GMKs that are gone. */
  prune(isHeld: (gmkId: KeyId) => boolean): void {
    for (const gmkId of this.#gukIds.keys()) if (!isHeld(gmkId)) this.#gukIds.delete(gmkId);
  }

  /**
   * False for a frame that came too late. Sequence numbers go on through a change of key; roll-over counters need not, as
   * a sender may start them anew under each key.
   */
  push(sequenceNumber: number, frame: Int16Array): boolean {
    const index = guessIndex(this.#highest ?? FIRST_ROC + sequenceNumber, sequenceNumber);
    if (this.#buffer.push(index, frame)) {
      this.#highest = Math.max(index, this.#highest ?? 0);
      this.#late = 0;
      return true;
    }
    if (++this.#late < LOST_TOUCH) return false;
    this.#late = 0;
    this.#buffer = new JitterBuffer(this.#options);
    this.#highest = index;
    return this.#buffer.push(index, frame);
  }

  pull() {
    return this.#buffer.pull();
  }
}
