/** WebCrypto, where the platform has nothing that works at once. */
import { MikeySakkeError } from "./errors.ts";

export function subtleCrypto(): SubtleCrypto {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (subtle === undefined) {
    throw new MikeySakkeError(
      "crypto",
      "NO_WEBCRYPTO",
      "no crypto.subtle: pages need a secure context (https)",
    );
  }
  return subtle;
}

/** WebCrypto takes no views of shared memory, so octets that may lie in one are copied. */
export function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}
