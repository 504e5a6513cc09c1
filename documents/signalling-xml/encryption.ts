/** Typed elements of one part, from Normal to Encrypted and back (TS 33.180 9.3.4). */
import { fromUtf8, wipe } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";
import type { KeyId } from "../../bindings/identity/purpose-tag.ts";
import type { XmlLimits } from "../xml/xml-events.ts";
import { canonicalize } from "../xml-signature/canonical.ts";
import { type ElementNode, parseNodes } from "../xml-signature/node-tree.ts";
import { decrypt, readEncryptedData, writeEncryptedData } from "./encrypted-data.ts";
import { encryptionFault, SIGNALLING_XML_LIMITS } from "./names.ts";
import { parseFragment, type Replacement, rewrite } from "./tree.ts";
import { isValueOf, type TypedElement, typedElements, withContent } from "./typed.ts";
import type { XmlKey } from "./xml-key.ts";

/** An element whose value may be encrypted. */
export interface NamedElement {
  readonly local: string;
  readonly namespace: string;
}

export interface EncryptOptions {
  readonly random: RandomSource;
  readonly encrypts: (element: NamedElement) => boolean;
}

/** Nothing is declared or nested in a value but its own namespace. */
const EXCLUSIVE = { exclusive: { inclusivePrefixes: new Set<string>() } };

/**
 * The document with its values encrypted, in canonical form; undefined when it has none to encrypt.
 *
 * @throws {MikeySakkeError} usage `XML_CANNOT_ENCRYPT` for a typed element that is encrypted already or is malformed;
 * codec: as `parseXml`
 */
export async function encryptXml(
  document: Uint8Array,
  key: XmlKey,
  { random, encrypts }: EncryptOptions,
): Promise<Uint8Array | undefined> {
  const nodes = parseNodes(document, SIGNALLING_XML_LIMITS);
  const typed = typedElements(nodes.root, cannotEncrypt);
  const already = typed.find(({ encrypted }) => encrypted);
  if (already !== undefined) throw cannotEncrypt(already.element.local, "encrypted already");
  const chosen = typed.filter(({ element: { local, namespace } }) => encrypts({ local, namespace }));
  if (chosen.length === 0) return undefined;
  const replacements = new Map<ElementNode, Replacement>();
  for (const { element, content } of chosen) {
    const text = await writeEncryptedData(canonicalize(content, EXCLUSIVE), key, random);
    replacements.set(element, withContent(element, "Encrypted", parseNodes(text).root));
  }
  return rewrite(nodes, replacements);
}

export interface DecryptOptions {
  /** The key that encrypted this message, or the error that there is none. */
  readonly keyOf: (keyId: KeyId) => XmlKey;
  /** Refuse values in clear. */
  readonly required: boolean;
  readonly mayBeClear: (element: NamedElement) => boolean;
  readonly limits: Partial<XmlLimits>;
}

/**
 * The document with all of its values in clear, in canonical form; undefined when none was encrypted.
 *
 * @throws {MikeySakkeError} verification `XML_ENCRYPTION_MISSING`, `_MALFORMED`, `_ALGORITHM`, `_KEY`, `_VALUE`; codec: as
 * `parseXml`
 */
export async function decryptXml(
  document: Uint8Array,
  options: DecryptOptions,
): Promise<Uint8Array | undefined> {
  const nodes = parseNodes(document, options.limits);
  const typed = typedElements(nodes.root, (name, what) => encryptionFault("MALFORMED", `${name}: ${what}`));
  const clear = typed.find(({ element, encrypted }) => !encrypted && !options.mayBeClear(element));
  if (options.required && clear !== undefined) {
    throw encryptionFault("MISSING", `${clear.element.local} is in clear`);
  }
  const sealed = typed.filter(({ encrypted }) => encrypted);
  if (sealed.length === 0) return undefined;
  const replacements = new Map<ElementNode, Replacement>();
  for (const one of sealed) {
    replacements.set(one.element, withContent(one.element, "Normal", await clearContent(one, options)));
  }
  return rewrite(nodes, replacements);
}

async function clearContent(
  { element, content }: TypedElement,
  { keyOf, limits }: DecryptOptions,
): Promise<ElementNode> {
  const data = readEncryptedData(content);
  const plaintext = await decrypt(data, keyOf(data.keyId));
  let value: ElementNode;
  try {
    value = parseFragment(fromUtf8(plaintext), element, limits);
  } catch (cause) {
    throw encryptionFault("VALUE", `${element.local}: not XML inside (${codeOf(cause)})`);
  } finally {
    wipe(plaintext);
  }
  if (!isValueOf(value, element)) throw encryptionFault("VALUE", `${element.local}: not a value inside`);
  return value;
}

function codeOf(cause: unknown): string {
  if (cause instanceof MikeySakkeError) return cause.code;
  throw cause;
}

function cannotEncrypt(name: string, what: string): MikeySakkeError {
  return new MikeySakkeError("usage", "XML_CANNOT_ENCRYPT", `XML encryption: ${name}: ${what}`);
}
