/**
 * SSRCs that have sent under a key. An SSRC that comes again under the same master key would start its sequence numbers,
 * and so its nonces, once more (RFC 3711 8.1, RFC 7714 8.4).
 */
import { MikeySakkeError } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";
import type { DeliveredKey } from "../mikey/delivered-key.ts";

export class UsedSsrcs {
  readonly #used = new WeakMap<DeliveredKey, Set<string>>();

  /** @throws MikeySakkeError usage `SSRC_USED` */
  take(key: DeliveredKey, purpose: string, ssrc: number): void {
    const used = this.#used.get(key) ?? new Set();
    this.#used.set(key, used);
    const name = `${purpose} ${ssrc}`;
    if (used.has(name)) {
      throw new MikeySakkeError("usage", "SSRC_USED", `SSRC ${ssrc}: has sent under this key before`);
    }
    used.add(name);
  }
}

/** A random one (TS 33.180 7.5.1). */
export function drawSsrc(random: RandomSource): number {
  const octets = random(4);
  return new DataView(octets.buffer, octets.byteOffset).getUint32(0);
}
