/** Keys of a response under a TrK (TS 33.180 9.3.4.2, D.3.4): xenc:EncryptedKey with AES-256 key wrap. */
import { concat, fromBase64, fromHex, toBase64, wipe } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { type KeyWrapForm, unwrapKey, wrapKey } from "../../bindings/symmetric/key-wrap.ts";
import type { XmlElement } from "../xml/xml-reader.ts";
import { element, leaf } from "../xml/xml-writer.ts";
import type { NamedKey } from "../xml-signature/index.ts";
import { attribute, isOfSchema, malformed, stringOf, XENC_NAMESPACE } from "./fields.ts";
import { encryptedIn, type KeyWriter, type UnwrappedKey } from "./key-content.ts";
import type { KmsResponse } from "./response.ts";

const KW_AES256 = `${XENC_NAMESPACE}kw-aes256`;
/** Key wrap with padding has a name of its own in XML Encryption 1.1. */
const KW_AES256_PAD = "http://www.w3.org/2009/xmlenc11#kw-aes-256-pad";

/** The secrets of a key set; the PVT is public. */
const SECRETS = ["UserDecryptKey", "UserSigningKeySSK"];
const KEYS = new Set([...SECRETS, "UserPubTokenPVT", "NewTransportKey", "NewIntegrityKey"]);

/**
 * How keys are wrapped whose length is no multiple of 8, which RSK (257) and PVT (65 octets) are and RFC 3394 cannot
 * wrap. Without a form: RFC 5649 for these and RFC 3394 for the others. `rfc5649`: RFC 5649 for all.
 * `rfc3394`: RFC 3394 for all, points without their first octet 04.
 */
export type WrapForm = KeyWrapForm;

/** Wraps all keys of the response; what it returns writes them. */
export async function keyWrapper(response: KmsResponse, trk: NamedKey, form?: WrapForm): Promise<KeyWriter> {
  const keys = keysOf(response);
  const wrapped = await Promise.all(keys.map((key) => wrap(trk, key, form)));
  const values = new Map(keys.map((key, i) => [key, toBase64(wrapped[i]!)]));
  return (name, key, carriedName) =>
    element(name, { "xsi:type": "EncKeyContentType" }, [
      element("xenc:EncryptedKey", {}, [
        element("xenc:EncryptionMethod", { Algorithm: KW_AES256 }, []),
        element("ds:KeyInfo", {}, [leaf("ds:KeyName", trk.id)]),
        element("xenc:CipherData", {}, [leaf("xenc:CipherValue", values.get(key))]),
        leaf("xenc:CarriedKeyName", carriedName),
      ]),
    ]);
}

/** All that a TrK wraps. */
export function keysOf({ message }: KmsResponse): Uint8Array[] {
  const keySets = message?.type === "keyprov" ? message.keySets : [];
  const { transport = [], integrity = [] } = message?.newKeys ?? {};
  return [
    ...keySets.flatMap(({ rsk, ssk, pvt }) => [rsk, ssk, pvt]),
    ...[...transport, ...integrity].map(({ key }) => key),
  ];
}

function wrap(trk: NamedKey, key: Uint8Array, form: WrapForm | undefined): Promise<Uint8Array> {
  const isPoint = key.length % 8 === 1;
  return wrapKey(trk.key, form === "rfc3394" && isPoint ? key.subarray(1) : key, form);
}

export interface Unwrapping {
  readonly keys: ReadonlyMap<XmlElement, UnwrappedKey>;
  /** The TrK-ID, when all secrets of the key sets and new keys were wrapped, and there were some. */
  readonly wrappedWith?: string;
}

/**
 * Unwraps all keys under `response`, an element KmsResponse that was authenticated where it can be.
 *
 * @throws {MikeySakkeError} crypto `KMS_TRK_UNKNOWN` or `KEY_UNWRAP`; codec `KMS_XML_*`, `KMS_KEY_ALGORITHM`
 */
export async function unwrapKeys(
  response: XmlElement,
  trkOf: (keyName: string | undefined) => NamedKey | undefined,
): Promise<Unwrapping> {
  const holders = keyElements(response);
  const wrapped = holders.flatMap((holder) => {
    const encrypted = encryptedIn(holder);
    return encrypted === undefined ? [] : [{ holder, ...readEncryptedKey(holder, encrypted) }];
  });
  const ids = new Set<string>();
  const tasks = wrapped.map(async ({ holder, keyName, name, octets }) => {
    const trk = trkOf(keyName);
    if (trk === undefined) {
      throw failure(holder, "KMS_TRK_UNKNOWN", `wrapped with an unknown TrK ${keyName ?? "without a name"}`);
    }
    ids.add(trk.id);
    if (ids.size > 1) throw malformed(holder, "wrapped with another TrK than the key before");
    const key = await unwrap(holder, trk, octets);
    return [holder, { key, ...defined({ name }) }] as const;
  });
  const settled = await Promise.allSettled(tasks);
  const keys = new Map(settled.flatMap((s) => (s.status === "fulfilled" ? [s.value] : [])));
  const failed = settled.find((s) => s.status === "rejected");
  if (failed !== undefined) {
    for (const { key } of keys.values()) wipe(key);
    throw failed.reason;
  }
  const inClear = holders.some((holder) => !keys.has(holder) && SECRETS.includes(holder.local));
  const [wrappedWith] = inClear ? [] : ids;
  return { keys, ...defined({ wrappedWith }) };
}

function keyElements(node: XmlElement): XmlElement[] {
  return node.children
    .filter((child) => isOfSchema(child, node))
    .flatMap((child) => (KEYS.has(child.local) ? [child] : keyElements(child)));
}

/** A point may come without its first octet 04, for RFC 3394. */
async function unwrap(holder: XmlElement, trk: NamedKey, octets: Uint8Array): Promise<Uint8Array> {
  let key: Uint8Array;
  try {
    key = await unwrapKey(trk.key, octets);
  } catch (cause) {
    throw failure(holder, "KEY_UNWRAP", `cannot be unwrapped with the TrK ${trk.id}`, cause);
  }
  if (key.length !== 256 && key.length !== 64) return key;
  const point = concat(Uint8Array.of(4), key);
  wipe(key);
  return point;
}

interface EncryptedKey {
  readonly keyName: string | undefined;
  readonly name: string | undefined;
  readonly octets: Uint8Array;
}

function readEncryptedKey(holder: XmlElement, encrypted: XmlElement): EncryptedKey {
  if (holder.children.length > 1) throw malformed(holder, "more than one key", "KMS_XML_DUPLICATE");
  const method = inner(encrypted, "EncryptionMethod");
  const algorithm = method && attribute(method, "Algorithm");
  if (method !== undefined && algorithm !== KW_AES256 && algorithm !== KW_AES256_PAD) {
    throw malformed(method, "the algorithm is not kw-aes256", "KMS_KEY_ALGORITHM");
  }
  const keyInfo = inner(encrypted, "KeyInfo");
  const keyName = keyInfo && inner(keyInfo, "KeyName");
  const carried = inner(encrypted, "CarriedKeyName");
  const data = inner(encrypted, "CipherData");
  const value = data && inner(data, "CipherValue");
  if (value === undefined) throw malformed(encrypted, "CipherValue is missing", "KMS_XML_MISSING");
  return {
    keyName: keyName && stringOf(keyName),
    name: carried && stringOf(carried),
    octets: cipherValueOf(value),
  };
}

/** The parts of an EncryptedKey are of two namespaces, and of others in published documents. */
function inner(parent: XmlElement, local: string): XmlElement | undefined {
  const [found, ...more] = parent.children.filter((c) => c.local === local);
  if (more.length > 0) throw malformed(parent, `more than one ${local}`, "KMS_XML_DUPLICATE");
  return found;
}

/** Base64, as XML Encryption says, or hexadecimal. Base64 of so many octets is never all hexadecimal digits. */
function cipherValueOf(node: XmlElement): Uint8Array {
  const text = stringOf(node).replace(/[\t\n\r ]+/g, "");
  try {
    return /^[0-9a-fA-F]+$/.test(text) ? fromHex(text) : fromBase64(text);
  } catch {
    throw malformed(node, "neither base64 nor hexadecimal");
  }
}

function failure(holder: XmlElement, code: ErrorCode, what: string, cause?: unknown): MikeySakkeError {
  return new MikeySakkeError("crypto", code, `${holder.path}: ${what}`, { cause });
}
