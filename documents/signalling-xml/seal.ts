/** Bodies to send: values are encrypted first, and what is sent is signed (TS 33.180 9.3). */
import { MikeySakkeError } from "../../base/errors.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import type { Part } from "../group-xml/multipart.ts";
import { drawContentId, requireOwnContentIds } from "./content-id.ts";
import { encryptXml, type NamedElement } from "./encryption.ts";
import { isSignaturesPart, isXmlPart, SIGNED_MEDIA_TYPE } from "./names.ts";
import { type SignablePart, writeSignatures } from "./signatures.ts";
import { PROTECT_ALL, type SignallingSwitches } from "./switches.ts";
import type { XmlKey } from "./xml-key.ts";

export interface SealSignallingOptions {
  /** Both on unless the service configuration says otherwise. */
  readonly switches?: SignallingSwitches;
  /** Which typed elements are encrypted; all of them when absent. */
  readonly encrypts?: (element: NamedElement) => boolean;
  readonly random?: RandomSource;
}

/**
 * The parts of a body with their XML protected; other parts are passed on. What was signed must reach the peer with its
 * Content-ID.
 *
 * @throws {MikeySakkeError} usage `NO_SIGNALLING_KEY`, `BAD_PART`, `XML_CANNOT_ENCRYPT`; codec: as `parseXml`
 */
export async function sealSignalling(
  parts: readonly Part[],
  key: XmlKey | undefined,
  options: SealSignallingOptions = {},
): Promise<Part[]> {
  const { switches = PROTECT_ALL, random = systemRandom, encrypts = () => true } = options;
  if (parts.some(isSignaturesPart)) {
    throw new MikeySakkeError("usage", "BAD_PART", "signalling XML: there are signatures already");
  }
  requireOwnContentIds(parts);
  if (!switches.confidentiality && !switches.integrity) return [...parts];
  if (key === undefined) {
    throw new MikeySakkeError(
      "usage",
      "NO_SIGNALLING_KEY",
      "signalling XML: no CSK or SPK to protect it with",
    );
  }
  const sealed: Part[] = [];
  const signable: SignablePart[] = [];
  for (const part of parts) {
    if (!isXmlPart(part)) {
      sealed.push(part);
      continue;
    }
    const encrypted = switches.confidentiality && (await encryptXml(part.body, key, { random, encrypts }));
    const { contentId = drawContentId(random) } = part;
    const body = encrypted || part.body;
    sealed.push({ ...part, body, ...(switches.integrity && { contentId }) });
    signable.push({ contentId, body });
  }
  if (!switches.integrity || signable.length === 0) return sealed;
  return [...sealed, { contentType: SIGNED_MEDIA_TYPE, body: writeSignatures(signable, key) }];
}
