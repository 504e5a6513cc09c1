/** xenc:EncryptedData as TS 33.180 9.3.4 uses it: AES-128-GCM, and the XPK by its ID. */

import { concat, fromBase64, toBase64 } from "../../base/bytes.ts";
import type { RandomSource } from "../../base/random.ts";
import type { KeyId } from "../../bindings/identity/purpose-tag.ts";
import { AEAD_TAG_BYTES, aeadOpen, aeadSeal } from "../../bindings/symmetric/aead.ts";
import { trimmed } from "../xml/values.ts";
import { DS_NAMESPACE } from "../xml-signature/algorithms.ts";
import { type ElementNode, elementsOf, textOf } from "../xml-signature/node-tree.ts";
import { AES128_GCM, encryptionFault, XENC_CONTENT, XENC_NAMESPACE } from "./names.ts";
import { keyIdOfName, type XmlKey } from "./xml-key.ts";

/** XML Encryption 1.1 5.2.4: 96 bits, before the ciphertext. */
const IV_BYTES = 12;
const NO_DATA = new Uint8Array();

export interface EncryptedData {
  readonly keyId: KeyId;
  /** IV, ciphertext, tag. */
  readonly octets: Uint8Array;
}

export async function writeEncryptedData(
  plaintext: Uint8Array,
  key: XmlKey,
  random: RandomSource,
): Promise<string> {
  const iv = random(IV_BYTES);
  const octets = concat(iv, await aeadSeal(key.confidentiality, iv, NO_DATA, plaintext));
  return [
    `<xenc:EncryptedData xmlns:xenc="${XENC_NAMESPACE}" Type="${XENC_CONTENT}">`,
    `<xenc:EncryptionMethod Algorithm="${AES128_GCM}"/>`,
    `<ds:KeyInfo xmlns:ds="${DS_NAMESPACE}"><ds:KeyName>${key.keyName}</ds:KeyName></ds:KeyInfo>`,
    `<xenc:CipherData><xenc:CipherValue>${toBase64(octets)}</xenc:CipherValue></xenc:CipherData>`,
    "</xenc:EncryptedData>",
  ].join("");
}

/** @throws {MikeySakkeError} verification `XML_ENCRYPTION_MALFORMED`, `_ALGORITHM`, `_KEY` (none is named) */
export function readEncryptedData(element: ElementNode): EncryptedData {
  const [method, keyInfo, cipherData] = sequence(element, [
    [XENC_NAMESPACE, "EncryptionMethod"],
    [DS_NAMESPACE, "KeyInfo"],
    [XENC_NAMESPACE, "CipherData"],
  ]);
  const type = attribute(element, "Type");
  if (type !== undefined && type !== XENC_CONTENT)
    throw encryptionFault("MALFORMED", "not the content of an element");
  if (attribute(method!, "Algorithm") !== AES128_GCM) throw encryptionFault("ALGORITHM", "not AES-128-GCM");
  sequence(method!, []);
  const [keyName] = sequence(keyInfo!, [[DS_NAMESPACE, "KeyName"]]);
  // A CipherReference would have the reader fetch what somebody else chose.
  const [value] = sequence(cipherData!, [[XENC_NAMESPACE, "CipherValue"]]);
  sequence(keyName!, []);
  sequence(value!, []);
  const keyId = keyIdOfName(trimmed(textOf(keyName!)));
  if (keyId === undefined) throw encryptionFault("KEY", "KeyName is not the ID of an XPK");
  return { keyId, octets: cipherOctets(value!) };
}

/** @throws {MikeySakkeError} verification `XML_ENCRYPTION_VALUE`: another key, or altered */
export async function decrypt({ octets }: EncryptedData, key: XmlKey): Promise<Uint8Array> {
  const [iv, sealed] = [octets.subarray(0, IV_BYTES), octets.subarray(IV_BYTES)];
  const plaintext = await aeadOpen(key.confidentiality, iv, NO_DATA, sealed);
  if (plaintext === undefined) throw encryptionFault("VALUE", "another key, or altered");
  return plaintext;
}

function cipherOctets(value: ElementNode): Uint8Array {
  let octets: Uint8Array;
  try {
    octets = fromBase64(textOf(value).replace(/[\t\n\r ]+/g, ""));
  } catch {
    throw encryptionFault("MALFORMED", "CipherValue is not base64");
  }
  if (octets.length < IV_BYTES + AEAD_TAG_BYTES)
    throw encryptionFault("MALFORMED", "CipherValue is too short");
  return octets;
}

/** The children when they are exactly these elements in this order. */
function sequence(parent: ElementNode, names: readonly (readonly [string, string])[]): ElementNode[] {
  const children = elementsOf(parent);
  const isKnown = ({ namespace, local }: ElementNode, i: number) =>
    namespace === names[i]?.[0] && local === names[i]?.[1];
  if (children.length === names.length && children.every(isKnown)) return children;
  throw encryptionFault("MALFORMED", `unexpected or missing elements in ${parent.local}`);
}

function attribute(element: ElementNode, name: string): string | undefined {
  return element.attributes.find((a) => a.name === name)?.value;
}
