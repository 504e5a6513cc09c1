/**
 * AES-128 of the platform for media: GCM with a 12-octet nonce (RFC 7714), and the counter mode that SRTP derives its
 * session keys with. node:crypto works at once, WebCrypto gives promises; a key is imported once for all packets.
 */

import type { MaybePromise } from "../../base/maybe-promise.ts";
import { builtinModule } from "../../base/platform.ts";
import { subtleCrypto, unshared } from "../../base/webcrypto.ts";

export const GCM_TAG_BYTES = 16;
export const GCM_NONCE_BYTES = 12;

/** One AES-GCM key. Nonces are the caller's: none twice. Their octets may change when a call has returned. */
export interface GcmKey {
  /** Ciphertext and tag go into `out` from `at` on, where there is room for them. Gives `out`. */
  seal(
    nonce: Uint8Array,
    aad: Uint8Array,
    plain: Uint8Array,
    out: Uint8Array,
    at: number,
  ): MaybePromise<Uint8Array>;
  /** Opens the ciphertext and tag that `octets` has from `from` to `to`. Undefined when the tag does not fit. */
  open(
    nonce: Uint8Array,
    aad: Uint8Array,
    octets: Uint8Array,
    from: number,
    to: number,
  ): MaybePromise<Uint8Array | undefined>;
}

interface Cipher {
  setAAD(aad: Uint8Array): void;
  update(data: Uint8Array): Uint8Array;
  final(): Uint8Array;
}

/** The part of node:crypto that is used. */
interface NodeCrypto {
  createSecretKey(key: Uint8Array): unknown;
  createCipheriv(
    name: string,
    key: unknown,
    iv: Uint8Array,
    options?: { authTagLength: number },
  ): Cipher & { getAuthTag(): Uint8Array };
  createDecipheriv(
    name: string,
    key: unknown,
    iv: Uint8Array,
    options?: { authTagLength: number },
  ): Cipher & { setAuthTag(tag: Uint8Array): void };
}

const TAG = { authTagLength: GCM_TAG_BYTES };

function nodeCrypto(): NodeCrypto | undefined {
  return builtinModule<NodeCrypto>("node:crypto");
}

/** Copies the key: the caller wipes its own. */
export function importGcmKey(key: Uint8Array): MaybePromise<GcmKey> {
  const node = nodeCrypto();
  return node === undefined ? importWithWebCrypto(key) : importWithNode(node, key);
}

/** The first `length` octets of the key stream of AES-CTR from the counter block `iv` (16 octets) on. */
export function aesKeyStream(key: Uint8Array, iv: Uint8Array, length: number): MaybePromise<Uint8Array> {
  const node = nodeCrypto();
  if (node !== undefined) {
    return new Uint8Array(node.createCipheriv("aes-128-ctr", key, iv).update(new Uint8Array(length)));
  }
  const subtle = subtleCrypto();
  return subtle
    .importKey("raw", unshared(key), "AES-CTR", false, ["encrypt"])
    .then((handle) =>
      subtle.encrypt({ name: "AES-CTR", counter: unshared(iv), length: 16 }, handle, new Uint8Array(length)),
    )
    .then((stream) => new Uint8Array(stream));
}

function importWithNode(node: NodeCrypto, octets: Uint8Array): GcmKey {
  const key = node.createSecretKey(octets);
  return {
    seal(nonce, aad, plain, out, at) {
      const cipher = node.createCipheriv("aes-128-gcm", key, nonce, TAG);
      cipher.setAAD(aad);
      out.set(cipher.update(plain), at);
      cipher.final();
      out.set(cipher.getAuthTag(), at + plain.length);
      return out;
    },
    open(nonce, aad, octets, from, to) {
      const tagAt = to - GCM_TAG_BYTES;
      const decipher = node.createDecipheriv("aes-128-gcm", key, nonce, TAG);
      decipher.setAAD(aad);
      decipher.setAuthTag(octets.subarray(tagAt, to));
      const plain = decipher.update(octets.subarray(from, tagAt));
      try {
        decipher.final();
        return plain;
      } catch {
        // `final` fails for one reason only: the tag.
        return undefined;
      }
    },
  };
}

async function importWithWebCrypto(octets: Uint8Array): Promise<GcmKey> {
  const subtle = subtleCrypto();
  const key = await subtle.importKey("raw", unshared(octets), "AES-GCM", false, ["encrypt", "decrypt"]);
  const parameters = (nonce: Uint8Array, aad: Uint8Array): AesGcmParams => ({
    name: "AES-GCM",
    iv: unshared(nonce),
    additionalData: unshared(aad),
    tagLength: 8 * GCM_TAG_BYTES,
  });
  return {
    async seal(nonce, aad, plain, out, at) {
      out.set(new Uint8Array(await subtle.encrypt(parameters(nonce, aad), key, unshared(plain))), at);
      return out;
    },
    async open(nonce, aad, octets, from, to) {
      const sealed = unshared(octets.subarray(from, to));
      try {
        return new Uint8Array(await subtle.decrypt(parameters(nonce, aad), key, sealed));
      } catch (error) {
        if (error instanceof DOMException && error.name === "OperationError") return undefined;
        throw error;
      }
    },
  };
}
