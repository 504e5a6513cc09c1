/**
 * AES key wrap: RFC 3394 for keys of whole 8-octet blocks, RFC 5649 for any length. node:crypto has both; WebCrypto has
 * only the first, so there key-wrap-blocks.ts does both.
 */
import { concat, wipe } from "../../base/bytes.ts";
import { MikeySakkeError, requireBytes, requireOneOf } from "../../base/errors.ts";
import { builtinModule } from "../../base/platform.ts";
import {
  ALTERNATIVE_INITIAL_VALUE,
  aesBlocks,
  INITIAL_VALUE,
  type KeyWrapForm,
  unwrapWith,
  wrapWith,
} from "./key-wrap-blocks.ts";

export type { KeyWrapForm } from "./key-wrap-blocks.ts";

export const KEK_BYTES = 32;

/** RFC 3394 where the length is a multiple of 8 of at least 16, RFC 5649 otherwise; `form` overrides. */
export async function wrapKey(kek: Uint8Array, key: Uint8Array, form?: KeyWrapForm): Promise<Uint8Array> {
  requireBytes(kek, "KEK", KEK_BYTES);
  requireBytes(key, "key");
  const whole = key.length % 8 === 0 && key.length >= 16;
  const used = form ?? (whole ? "rfc3394" : "rfc5649");
  requireOneOf(used, "form", ["rfc3394", "rfc5649"]);
  if (key.length === 0 || (used === "rfc3394" && !whole)) {
    throw new MikeySakkeError(
      "usage",
      "WRONG_LENGTH",
      `key: ${key.length} octets cannot be wrapped by ${used}`,
    );
  }
  const node = nodeCrypto();
  if (node !== undefined) return nodeWrap(node, kek, key, used);
  return wrapWith(await aesBlocks(kek), key, used);
}

/**
 * Reads both forms: their integrity values differ, so one cannot pass for the other.
 *
 * @throws {MikeySakkeError} crypto `KEY_UNWRAP` when neither integrity value is there
 */
export async function unwrapKey(kek: Uint8Array, wrapped: Uint8Array): Promise<Uint8Array> {
  requireBytes(kek, "KEK", KEK_BYTES);
  requireBytes(wrapped, "wrapped key");
  const node = nodeCrypto();
  const possible = wrapped.length % 8 === 0 && wrapped.length >= 16;
  const key = !possible
    ? undefined
    : node !== undefined
      ? (nodeUnwrap(node, kek, wrapped, "rfc3394") ?? nodeUnwrap(node, kek, wrapped, "rfc5649"))
      : await unwrapWith(await aesBlocks(kek), wrapped);
  if (key === undefined) {
    throw new MikeySakkeError("crypto", "KEY_UNWRAP", "wrapped key: altered, or wrapped under another key");
  }
  return key;
}

/** The part of node:crypto that is used. */
interface NodeCrypto {
  createCipheriv(name: string, key: Uint8Array, iv: Uint8Array): NodeCipher;
  createDecipheriv(name: string, key: Uint8Array, iv: Uint8Array): NodeCipher;
}

interface NodeCipher {
  update(data: Uint8Array): Uint8Array;
  final(): Uint8Array;
}

function nodeCrypto(): NodeCrypto | undefined {
  return builtinModule<NodeCrypto>("node:crypto");
}

const NODE_PARAMETERS: Readonly<Record<KeyWrapForm, readonly [name: string, iv: Uint8Array]>> = {
  rfc3394: ["id-aes256-wrap", INITIAL_VALUE],
  rfc5649: ["id-aes256-wrap-pad", ALTERNATIVE_INITIAL_VALUE],
};

function nodeWrap(node: NodeCrypto, kek: Uint8Array, key: Uint8Array, form: KeyWrapForm): Uint8Array {
  const [name, iv] = NODE_PARAMETERS[form];
  const cipher = node.createCipheriv(name, kek, iv);
  return concat(cipher.update(key), cipher.final());
}

function nodeUnwrap(
  node: NodeCrypto,
  kek: Uint8Array,
  wrapped: Uint8Array,
  form: KeyWrapForm,
): Uint8Array | undefined {
  const [name, iv] = NODE_PARAMETERS[form];
  const decipher = node.createDecipheriv(name, kek, iv);
  try {
    const key = decipher.update(wrapped);
    const whole = concat(key, decipher.final());
    wipe(key);
    return whole;
  } catch {
    // For possible lengths `update` fails for one reason only: the integrity value.
    return undefined;
  }
}
