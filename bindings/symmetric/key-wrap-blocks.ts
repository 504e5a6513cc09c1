/**
 * RFC 3394 and RFC 5649 step by step, on single blocks of the AES-CBC of WebCrypto: AES itself stays native and free of
 * tables.
 */
import { concat, equal, wipe } from "../../base/bytes.ts";
import { subtleCrypto, unshared } from "../../base/webcrypto.ts";

export type KeyWrapForm = "rfc3394" | "rfc5649";

/** RFC 3394 2.2.3.1 */
export const INITIAL_VALUE = new Uint8Array(8).fill(0xa6);
/** RFC 5649 3; the length of the key follows. */
export const ALTERNATIVE_INITIAL_VALUE = Uint8Array.of(0xa6, 0x59, 0x59, 0xa6);

const AES_BLOCK = 16;

/** AES on one block. */
export interface BlockCipher {
  encrypt(block: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  decrypt(block: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
}

/**
 * AES-CBC of WebCrypto always pads. CBC of the empty text is E(padding ⊕ IV), so the IV chooses the block; and a second
 * block E(padding ⊕ C) after C makes the padding right for decryption.
 */
export async function aesBlocks(kek: Uint8Array): Promise<BlockCipher> {
  const subtle = subtleCrypto();
  const key = await subtle.importKey("raw", unshared(kek), "AES-CBC", false, ["encrypt", "decrypt"]);
  const encryptPadding = async (iv: Uint8Array<ArrayBuffer>) =>
    new Uint8Array(await subtle.encrypt({ name: "AES-CBC", iv }, key, new Uint8Array(0)));
  return {
    encrypt: async (block) => {
      const iv = block.map((octet) => octet ^ AES_BLOCK);
      const result = await encryptPadding(iv);
      wipe(iv);
      return result;
    },
    decrypt: async (block) => {
      const padded = new Uint8Array(2 * AES_BLOCK);
      padded.set(block);
      padded.set(await encryptPadding(block), AES_BLOCK);
      const iv = new Uint8Array(AES_BLOCK);
      return new Uint8Array(await subtle.decrypt({ name: "AES-CBC", iv }, key, padded));
    },
  };
}

/** RFC 3394 2.2.1 in place: A is the first half-block of the text, R[i] the others. */
export async function wrapWith(cipher: BlockCipher, key: Uint8Array, form: KeyWrapForm): Promise<Uint8Array> {
  const text = new Uint8Array(8 + 8 * Math.ceil(key.length / 8));
  text.set(form === "rfc3394" ? INITIAL_VALUE : lengthValue(key.length));
  text.set(key, 8);
  const n = text.length / 8 - 1;
  const block = new Uint8Array(AES_BLOCK);
  // RFC 5649 4.1: a key of at most 8 octets takes one block.
  for (let t = 1, steps = n === 1 ? 1 : 6 * n; t <= steps; t++) {
    const r = 8 * (((t - 1) % n) + 1);
    block.set(text.subarray(0, 8));
    block.set(text.subarray(r, r + 8), 8);
    const result = await cipher.encrypt(block);
    text.set(result.subarray(0, 8));
    text.set(result.subarray(8), r);
    if (n > 1) addStep(text, t);
  }
  wipe(block);
  return text;
}

/** RFC 3394 2.2.2, then whichever integrity value is there. */
export async function unwrapWith(cipher: BlockCipher, wrapped: Uint8Array): Promise<Uint8Array | undefined> {
  const text = new Uint8Array(wrapped);
  const n = text.length / 8 - 1;
  const block = new Uint8Array(AES_BLOCK);
  for (let t = n === 1 ? 1 : 6 * n; t >= 1; t--) {
    const r = 8 * (((t - 1) % n) + 1);
    if (n > 1) addStep(text, t);
    block.set(text.subarray(0, 8));
    block.set(text.subarray(r, r + 8), 8);
    const result = await cipher.decrypt(block);
    text.set(result.subarray(0, 8));
    text.set(result.subarray(8), r);
    wipe(result);
  }
  const key = recognise(text);
  wipe(text, block);
  return key;
}

/** A = A ⊕ t; t stays below 2^32. */
function addStep(text: Uint8Array, t: number): void {
  for (let i = 0; i < 4; i++) text[7 - i]! ^= t >>> (8 * i);
}

function lengthValue(length: number): Uint8Array {
  const value = new Uint8Array(8);
  value.set(ALTERNATIVE_INITIAL_VALUE);
  new DataView(value.buffer).setUint32(4, length);
  return value;
}

/** The key behind a right integrity value: RFC 3394 2.2.3, RFC 5649 3 (prefix, length, zeros behind the key). */
function recognise(text: Uint8Array): Uint8Array | undefined {
  const blocks = text.subarray(8);
  if (blocks.length > 8 && equal(text.subarray(0, 8), INITIAL_VALUE)) return blocks.slice();
  const length = new DataView(text.buffer, text.byteOffset + 4).getUint32(0);
  const padding = blocks.length - length;
  if (padding < 0 || padding > 7) return undefined;
  const right = concat(ALTERNATIVE_INITIAL_VALUE, new Uint8Array(padding));
  return equal(concat(text.subarray(0, 4), blocks.subarray(length)), right)
    ? blocks.slice(0, length)
    : undefined;
}
