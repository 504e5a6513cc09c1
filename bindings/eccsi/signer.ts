/** A user's signing key (RFC 6507 5.2.1). */
import { concat, wipe } from "../../base/bytes.ts";
import {
  MikeySakkeError,
  requireBytes,
  requireFunction,
  requireList,
  requireObject,
} from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";
import { hashOfKey, hashOfMessage, randomScalars, SCALAR, XY } from "./encoding.ts";
import type { EccsiPublicKey } from "./public-key.ts";
import { multiplyBase } from "./tables.ts";

/** An SSK with its PVT and identifier, checked. Secret: call `destroy` when it is no longer needed. */
export class EccsiSigner {
  readonly #kms: EccsiPublicKey;
  readonly #ssk: Uint8Array;
  readonly #pvt: Uint8Array;
  readonly #hs: Uint8Array;
  #destroyed = false;

  private constructor(kms: EccsiPublicKey, ssk: Uint8Array, pvt: Uint8Array, hs: Uint8Array) {
    this.#kms = kms;
    this.#ssk = ssk;
    this.#pvt = pvt;
    this.#hs = hs;
  }

  /**
   * Takes an SSK of 32 octets and a PVT of 65 for `id` under a KMS. Throws a validation error `BAD_SSK` when the
   * check of RFC 6507 5.1.2 fails.
   */
  static load(kms: EccsiPublicKey, id: Uint8Array, ssk: Uint8Array, pvt: Uint8Array): EccsiSigner {
    requireObject(kms, "KMS", "an EccsiPublicKey", "validateSsk");
    if (!kms.validateSsk(id, ssk, pvt)) {
      const text = "SSK, PVT: they do not belong to this identifier and KMS (RFC 6507 5.1.2)";
      throw new MikeySakkeError("validation", "BAD_SSK", text);
    }
    return new EccsiSigner(kms, new Uint8Array(ssk), new Uint8Array(pvt), hashOfKey(kms.kpak, id, pvt));
  }

  /** Signs a message: 129 octets r || s || PVT. */
  sign(message: Uint8Array, random: RandomSource): Uint8Array {
    return this.signBatch([message], random)[0]!;
  }

  /** Signs many messages; they share inversions, so this costs less than one by one. */
  signBatch(messages: readonly Uint8Array[], random: RandomSource): Uint8Array[] {
    requireList(messages, "messages");
    for (const message of messages) requireBytes(message, "message");
    requireFunction(random, "random source");
    if (this.#destroyed) throw new MikeySakkeError("usage", "DESTROYED", "the signing key was destroyed");
    const { core } = this.#kms;
    core.requireAlive();
    if (messages.length === 0) return [];
    const n = messages.length;
    const ephemerals = randomScalars(n, random);
    const input = new Uint8Array(n * 3 * SCALAR);
    try {
      const points = multiplyBase(core, ephemerals)!;
      messages.forEach((message, i) => {
        const r = points.subarray(i * XY, i * XY + SCALAR);
        input.set(hashOfMessage(this.#hs, r, message), i * 3 * SCALAR);
        input.set(r, i * 3 * SCALAR + SCALAR);
        input.set(ephemerals.subarray(i * SCALAR, (i + 1) * SCALAR), i * 3 * SCALAR + 2 * SCALAR);
      });
      const s = core.borrow([SCALAR, input.length, n * SCALAR, n], (ssk, operands, out, status) => {
        core.write(ssk, this.#ssk);
        core.write(operands, input);
        core.wasm.eccsiSign(n, ssk, operands, out, status);
        return core.read(status, n).some((x) => x !== 0) ? undefined : core.read(out, n * SCALAR);
      });
      // HE + r SSK = 0 happens once in 2^256 signatures; RFC 6507 5.2.1 step 4 wants another j then.
      if (s === undefined) return this.signBatch(messages, random);
      return messages.map((_, i) =>
        concat(points.subarray(i * XY, i * XY + SCALAR), s.subarray(i * SCALAR, (i + 1) * SCALAR), this.#pvt),
      );
    } finally {
      wipe(ephemerals, input);
    }
  }

  /** Copies of SSK and PVT, for a worker that signs with them; the receiver wipes them. For the bindings only. */
  exportKey(): { ssk: Uint8Array<ArrayBuffer>; pvt: Uint8Array } {
    if (this.#destroyed) throw new MikeySakkeError("usage", "DESTROYED", "the signing key was destroyed");
    return { ssk: new Uint8Array(this.#ssk), pvt: this.#pvt.slice() };
  }

  /** Clears the key. */
  destroy(): void {
    this.#destroyed = true;
    wipe(this.#ssk);
  }
}
