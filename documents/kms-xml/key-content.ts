/**
 * The content of key elements (TS 33.180 D.3.3): KeyContentType, hexadecimal in clear, or EncKeyContentType, an
 * xenc:EncryptedKey under a TrK. Wrapping is asynchronous and reading is not, so that wrapped keys are taken out
 * of their elements before, and stay octets that can be wiped.
 */
import { toHex, wipe } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { XmlElement } from "../xml/xml-reader.ts";
import { element, type XmlNode } from "../xml/xml-writer.ts";
import { hexOf, malformed, requirePoint, xsiType } from "./fields.ts";

/** A key that was wrapped; `name` is its CarriedKeyName. */
export interface UnwrappedKey {
  readonly key: Uint8Array;
  readonly name?: string;
}

/** By the element that holds it, such as UserDecryptKey. */
export type UnwrappedKeys = ReadonlyMap<XmlElement, UnwrappedKey>;

/** An uncompressed point; whether it is on its curve is checked where it is loaded. */
export function pointKeyOf(node: XmlElement, length: number, unwrapped?: UnwrappedKeys): Uint8Array {
  return requirePoint(node, octetsOf(node, unwrapped), length);
}

/** That many octets. A published response writes the SSK with leading zero octets beyond them. */
export function scalarKeyOf(node: XmlElement, length: number, unwrapped?: UnwrappedKeys): Uint8Array {
  const octets = octetsOf(node, unwrapped);
  const extra = octets.length - length;
  if (extra === 0) return octets;
  if (extra < 0) throw malformed(node, `expected ${length} octets, got ${octets.length}`);
  if (octets.subarray(0, extra).some((octet) => octet !== 0)) {
    throw malformed(node, `more than ${length} octets`);
  }
  const scalar = octets.slice(extra);
  wipe(octets);
  return scalar;
}

/** Published responses leave `xsi:type` out for keys in clear. */
function octetsOf(node: XmlElement, unwrapped?: UnwrappedKeys): Uint8Array {
  const found = unwrapped?.get(node);
  if (found !== undefined) return found.key;
  requireInClear(node);
  const type = xsiType(node);
  if (type !== undefined && type !== "KeyContentType") throw malformed(node, `unknown xsi:type ${type}`);
  return hexOf(node);
}

export function requireInClear(node: XmlElement): void {
  if (encryptedIn(node) === undefined && xsiType(node) !== "EncKeyContentType") return;
  throw malformed(
    node,
    "the key is encrypted with a TrK; this reader takes keys in clear",
    "KMS_KEY_ENCRYPTED",
  );
}

/** The element of a wrapped key. The EncryptedData of a known KMS stands for an EncryptedKey, as its Type says. */
export function encryptedIn(node: XmlElement): XmlElement | undefined {
  return node.children.find((c) => c.local === "EncryptedKey" || c.local === "EncryptedData");
}

/** Writes a key into the element of that name; `carriedName` is the id of a new key. */
export type KeyWriter = (name: string, key: Uint8Array, carriedName?: string) => XmlNode;

/** @throws {MikeySakkeError} usage `KMS_NEW_KEY_IN_CLEAR` for new keys, which are wrapped always */
export const clearKeyNode: KeyWriter = (name, key, carriedName) => {
  if (carriedName !== undefined) {
    throw new MikeySakkeError(
      "usage",
      "KMS_NEW_KEY_IN_CLEAR",
      `${name}: new keys must be wrapped with a TrK`,
    );
  }
  return element(name, { "xsi:type": "KeyContentType" }, toHex(key));
};
