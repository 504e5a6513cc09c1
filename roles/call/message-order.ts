/**
 * The order in which a sender sent its messages, by their SRTCP index. A message that was overtaken describes an earlier
 * state, so it is of no use any more.
 */
import { toHex } from "../../base/bytes.ts";
import type { UnprotectedRtcp } from "../../bindings/media/index.ts";

const MAX_STREAMS = 256;

export class MessageOrder {
  readonly #highest = new Map<string, number>();

  static streamOf({ mki, ssrc }: UnprotectedRtcp): string {
    return `${toHex(mki)} ${ssrc}`;
  }

  /** False when a later one has come before. */
  isNext(stream: string, index: number): boolean {
    const highest = this.#highest.get(stream) ?? -1;
    if (index <= highest) return false;
    this.#highest.delete(stream);
    const [oldest] = this.#highest.keys();
    if (this.#highest.size >= MAX_STREAMS) this.#highest.delete(oldest!);
    this.#highest.set(stream, index);
    return true;
  }
}
