/** Bodies received: signatures first, then what they cover is decrypted. What comes out is to be read, nothing else. */
import type { MikeySakkeError } from "../../base/errors.ts";
import type { KeyId } from "../../bindings/identity/purpose-tag.ts";
import type { Part } from "../group-xml/multipart.ts";
import type { XmlLimits } from "../xml/xml-events.ts";
import { fault } from "../xml-signature/algorithms.ts";
import { decryptXml, type NamedElement } from "./encryption.ts";
import { encryptionFault, isSignaturesPart, isXmlPart, SIGNALLING_XML_LIMITS } from "./names.ts";
import type { XmlKeySource } from "./peer-keys.ts";
import { type VerifiedParts, verifySignatures } from "./signatures.ts";
import { PROTECT_ALL, type SignallingSwitches } from "./switches.ts";
import type { XmlKey } from "./xml-key.ts";

export interface OpenSignallingOptions {
  /** The protection that is required: both unless the service configuration says otherwise. */
  readonly switches?: SignallingSwitches;
  /** Whether an XML part must be signed where integrity is on; all must when absent. */
  readonly mustBeSigned?: (part: Part) => boolean;
  /** Typed elements that may come in clear where confidentiality is on; none may when absent. */
  readonly mayBeClear?: (element: NamedElement) => boolean;
  /** Limits of one part. */
  readonly limits?: Partial<XmlLimits>;
}

export interface OpenedPart extends Part {
  readonly signed: boolean;
  /** Whether it had values to decrypt; they are Normal now. */
  readonly encrypted: boolean;
}

export interface OpenedSignalling {
  /** In the order of the body, without the part with the signatures. */
  readonly parts: readonly OpenedPart[];
  /** The key that protected the message, and the user that it is bound to. Absent when nothing was protected. */
  readonly key?: { readonly keyId: KeyId; readonly userId: string };
  /** Base64 of the values of the signatures: a message with one that was seen before is one that was seen before. */
  readonly signatures: readonly string[];
}

/**
 * Checks and decrypts the parts of a body. Protection is checked where it is there, also where the switches do not
 * ask for it. The type of a part is not signed: who reads it looks at its root element.
 *
 * @param keys those of the sender, as the session has it; undefined when it has none
 * @throws {MikeySakkeError} verification `XML_SIGNATURE_MISSING`, `_MALFORMED`, `_ALGORITHM`, `_REFERENCE`, `_KEY`,
 * `_VALUE`, `_DIGEST`; `XML_ENCRYPTION_MISSING`, `_MALFORMED`, `_ALGORITHM`, `_KEY`, `_VALUE`; codec: as `parseXml`
 */
export async function openSignalling(
  parts: readonly Part[],
  keys: XmlKeySource | undefined,
  options: OpenSignallingOptions = {},
): Promise<OpenedSignalling> {
  const { switches = PROTECT_ALL, mustBeSigned = () => true, mayBeClear = () => false } = options;
  const limits = { ...SIGNALLING_XML_LIMITS, ...options.limits };
  const used = new UsedKey(keys);
  const others = parts.filter((part) => !isSignaturesPart(part));
  const { contents, values: signatures } = verifyAll(parts, others, used, limits);

  const opened: OpenedPart[] = [];
  for (const part of others) {
    const content = contents.get(part);
    const signed = content !== undefined;
    const isXml = isXmlPart(part);
    if (isXml && !signed && switches.integrity && mustBeSigned(part)) {
      throw fault("MISSING", `a part of type ${part.contentType.slice(0, 100)} is not signed`);
    }
    const body = content ?? part.body;
    const keyOf = (keyId: KeyId) =>
      used.take(keyId, () => encryptionFault("KEY", "no such key of this peer"));
    // A part that is signed as XML is read as XML, whatever its type was changed to.
    const decrypted =
      isXml || signed
        ? await decryptXml(body, { keyOf, required: switches.confidentiality, mayBeClear, limits })
        : undefined;
    opened.push({ ...part, body: decrypted ?? body, signed, encrypted: decrypted !== undefined });
  }
  const { key } = used;
  if (key === undefined) return { parts: opened, signatures };
  keys?.confirm?.(key.keyId);
  return { parts: opened, signatures, key: { keyId: key.keyId, userId: key.userId } };
}

function verifyAll(
  parts: readonly Part[],
  others: readonly Part[],
  used: UsedKey,
  limits: XmlLimits,
): VerifiedParts {
  const [signatures, ...more] = parts.filter(isSignaturesPart);
  if (signatures === undefined) return { contents: new Map(), values: [] };
  if (more.length > 0) throw fault("MALFORMED", "more than one part with signatures");
  const keyOf = (keyId: KeyId) => used.take(keyId, () => fault("KEY", "no such key of this peer"));
  return verifySignatures(signatures.body, others, { keyOf, limits });
}

/** One message is protected under one key, or parts of two messages could stand in one. */
class UsedKey {
  key: XmlKey | undefined;
  readonly #keys: XmlKeySource | undefined;

  constructor(keys: XmlKeySource | undefined) {
    this.#keys = keys;
  }

  take(keyId: KeyId, unknown: () => MikeySakkeError): XmlKey {
    this.key ??= this.#keys?.find(keyId);
    if (this.key?.keyId !== keyId) throw unknown();
    return this.key;
  }
}
