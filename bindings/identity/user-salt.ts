/**
 * User salt of TS 33.180 F.1.3: 28 bits that depend on a key and on the URI of one receiver. They turn the
 * common K-ID into an identifier of that receiver's own (guk-id.ts).
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8 } from "../../base/bytes.ts";
import { FC, kdfInput } from "./kdf.ts";

const LOW_28 = 0x0fffffff;

/** The salt as a 28-bit number. `uri` is the plain MC service user ID, also where the message hides it. */
export function userSalt(key: Uint8Array, uri: string): number {
  return userSalts(key, [uri])[0]!;
}

/** Salts of many receivers of one key; the key's half of the HMAC is worked out once. */
export function userSalts(key: Uint8Array, uris: readonly string[]): number[] {
  const keyed = hmac.create(sha256, key);
  const salts = uris.map((uri) => {
    const output = keyed
      .clone()
      .update(kdfInput(FC.USER_SALT, [utf8(uri)]))
      .digest();
    return new DataView(output.buffer, output.byteOffset).getUint32(28) & LOW_28;
  });
  keyed.destroy();
  return salts;
}
