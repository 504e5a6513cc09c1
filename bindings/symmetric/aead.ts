/**
 * AES-GCM of the platform: node:crypto where it is, since it works at once, else WebCrypto, which costs several times
 * as much for messages this small. TS 33.180 8.5.4 uses a 16-octet IV: GCM then derives its first counter block by GHASH
 * (SP 800-38D 7.1), which both do for every IV length but 12.
 */
import { concat } from "../../base/bytes.ts";
import { requireBytes } from "../../base/errors.ts";
import { builtinModule } from "../../base/platform.ts";
import { subtleCrypto, unshared } from "../../base/webcrypto.ts";

export const AEAD_IV_BYTES = 16;
export const AEAD_TAG_BYTES = 16;

/** Ciphertext followed by the 16-octet tag. `key` has 16 or 32 octets. */
export async function aeadSeal(
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Promise<Uint8Array> {
  requireOperands(key, iv, aad);
  requireBytes(plaintext, "plaintext");
  const node = nodeCrypto();
  if (node !== undefined) {
    const cipher = node.createCipheriv(algorithm(key), key, iv);
    cipher.setAAD(aad);
    return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
  }
  const subtle = subtleCrypto();
  const handle = await subtle.importKey("raw", unshared(key), "AES-GCM", false, ["encrypt"]);
  const sealed = await subtle.encrypt(parameters(iv, aad), handle, unshared(plaintext));
  return new Uint8Array(sealed);
}

/** The plaintext, or undefined when the tag does not fit: the caller knows which check that fails. */
export async function aeadOpen(
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Promise<Uint8Array | undefined> {
  requireOperands(key, iv, aad);
  requireBytes(sealed, "sealed");
  if (sealed.length < AEAD_TAG_BYTES) return undefined;
  const node = nodeCrypto();
  if (node !== undefined) return openWithNode(node, key, iv, aad, sealed);
  const subtle = subtleCrypto();
  const handle = await subtle.importKey("raw", unshared(key), "AES-GCM", false, ["decrypt"]);
  try {
    return new Uint8Array(await subtle.decrypt(parameters(iv, aad), handle, unshared(sealed)));
  } catch (error) {
    if (error instanceof DOMException && error.name === "OperationError") return undefined;
    throw error;
  }
}

function requireOperands(key: Uint8Array, iv: Uint8Array, aad: Uint8Array): void {
  requireBytes(key, "key", 16, 32);
  requireBytes(iv, "IV");
  requireBytes(aad, "additional data");
}

/** The part of node:crypto that is used. */
interface NodeCrypto {
  createCipheriv(name: string, key: Uint8Array, iv: Uint8Array): NodeCipher & { getAuthTag(): Uint8Array };
  createDecipheriv(
    name: string,
    key: Uint8Array,
    iv: Uint8Array,
  ): NodeCipher & { setAuthTag(tag: Uint8Array): void };
}

interface NodeCipher {
  setAAD(aad: Uint8Array): void;
  update(data: Uint8Array): Uint8Array;
  final(): Uint8Array;
}

function nodeCrypto(): NodeCrypto | undefined {
  return builtinModule<NodeCrypto>("node:crypto");
}

function algorithm(key: Uint8Array): string {
  return key.length === 32 ? "aes-256-gcm" : "aes-128-gcm";
}

function openWithNode(
  node: NodeCrypto,
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const end = sealed.length - AEAD_TAG_BYTES;
  const decipher = node.createDecipheriv(algorithm(key), key, iv);
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(end));
  const plaintext = decipher.update(sealed.subarray(0, end));
  try {
    return concat(plaintext, decipher.final());
  } catch {
    // `final` fails for one reason only: the tag.
    return undefined;
  }
}

function parameters(iv: Uint8Array, aad: Uint8Array): AesGcmParams {
  return { name: "AES-GCM", iv: unshared(iv), additionalData: unshared(aad), tagLength: 8 * AEAD_TAG_BYTES };
}
