/**
 * NewTransportKey and NewIntegrityKey: a KMS replaces the TrK and InK of a client in the types KmsInitTkIkType,
 * KmsKeyProvTkIkType and their kind, which have them after the content of the type without. They are always wrapped
 * with the present TrK.
 */
import type { XmlElement } from "../xml/xml-reader.ts";
import type { XmlNode } from "../xml/xml-writer.ts";
import type { NamedKey } from "../xml-signature/index.ts";
import { childrenOf, malformed } from "./fields.ts";
import { type KeyWriter, requireInClear, scalarKeyOf, type UnwrappedKeys } from "./key-content.ts";

/** AES-256 of kw-aes256, and the like for HMAC-SHA-256. */
const KEY_BYTES = 32;

export interface NewKeys {
  /** TrKs, by TrK-ID. */
  readonly transport: readonly NamedKey[];
  /** InKs, by InK-ID. */
  readonly integrity: readonly NamedKey[];
}

/**
 * The new keys of a message, or undefined when there are none. Where nothing could be unwrapped (`unwrapped` is
 * undefined), they are passed over: the certificates and key sets beside them are of use without.
 *
 * @throws {MikeySakkeError} codec `KMS_NEW_KEY_IN_CLEAR`, `KMS_KEY_ENCRYPTED`, `KMS_XML_MISSING`,
 * `KMS_XML_DUPLICATE` or `KMS_XML_VALUE`
 */
export function readNewKeys(message: XmlElement, unwrapped?: UnwrappedKeys): NewKeys | undefined {
  if (unwrapped === undefined) return undefined;
  const read = (name: string) => {
    const keys = childrenOf(message, name).map((node) => newKeyOf(node, unwrapped));
    if (new Set(keys.map(({ id }) => id)).size < keys.length) {
      throw malformed(message, `two keys of one name in ${name}`, "KMS_XML_DUPLICATE");
    }
    return keys;
  };
  const transport = read("NewTransportKey");
  const integrity = read("NewIntegrityKey");
  return transport.length + integrity.length > 0 ? { transport, integrity } : undefined;
}

function newKeyOf(node: XmlElement, unwrapped: UnwrappedKeys): NamedKey {
  const found = unwrapped.get(node);
  if (found === undefined) {
    requireInClear(node);
    throw malformed(node, "a new key must be wrapped with a TrK", "KMS_NEW_KEY_IN_CLEAR");
  }
  if (found.name === undefined) throw malformed(node, "CarriedKeyName is missing", "KMS_XML_MISSING");
  return { id: found.name, key: scalarKeyOf(node, KEY_BYTES, unwrapped) };
}

export function newKeyNodes(keys: NewKeys | undefined, keyNode: KeyWriter): XmlNode[] {
  if (keys === undefined) return [];
  return [
    ...keys.transport.map(({ id, key }) => keyNode("NewTransportKey", key, id)),
    ...keys.integrity.map(({ id, key }) => keyNode("NewIntegrityKey", key, id)),
  ];
}
