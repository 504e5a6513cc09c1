/**
 * KMS Redirect Responses (TS 33.180 D.4), which say that a KMS is not acceptable and which ones would be. The schema
 * (D.4.4) is in no copy at hand: they are read by what local names say, and written, with names of our own, only where
 * an operator asks for it.
 */
import { defined } from "../../base/defined.ts";
import { KRR_NAMESPACE } from "../kms-xml/request.ts";
import { trimmed } from "../xml/values.ts";
import { parseXml, type XmlElement } from "../xml/xml-reader.ts";
import { element, leaf, writeXml } from "../xml/xml-writer.ts";
import { malformed, requireAtMost } from "./fields.ts";
import { GROUP_XML_LIMITS, SMALL_DOCUMENT_LIMITS } from "./names.ts";

export interface KmsRedirectResponse {
  readonly initiatorUri?: string;
  readonly receiverUri?: string;
  readonly rejectedKmsUri?: string;
  readonly rejectingEntityUri?: string;
  /** KMSs that suit the receiver: only a hint until the Home KMS permits one (D.2.8). */
  readonly proposedKmsUris: readonly string[];
}

const ROOT = "KmsRedirectResponse";
const MAX_PROPOSED = 64;
const DSIG_NAMESPACE = "http://www.w3.org/2000/09/xmldsig#";

/** Not signed. */
export function writeKrr(krr: KmsRedirectResponse): string {
  return writeXml(
    element(ROOT, { xmlns: KRR_NAMESPACE }, [
      leaf("InitiatorUri", krr.initiatorUri),
      leaf("ReceiverUri", krr.receiverUri),
      leaf("RejectedKmsUri", krr.rejectedKmsUri),
      leaf("RejectingEntityUri", krr.rejectingEntityUri),
      element(
        "ProposedKmsUriList",
        {},
        krr.proposedKmsUris.map((uri) => leaf("KmsUri", uri)),
      ),
    ]),
  );
}

/**
 * The meaning that names give to leaves, by the first pattern that fits the names from below the root down to the leaf.
 * A list is looked for before initiator and receiver, since it may name whom it is for.
 */
const MEANINGS: readonly (readonly [RegExp, keyof KmsRedirectResponse])[] = [
  [/rejecting/, "rejectingEntityUri"],
  [/reject/, "rejectedKmsUri"],
  [/propos|list|alternative/, "proposedKmsUris"],
  [/initiat/, "initiatorUri"],
  [/receiv/, "receiverUri"],
  [/kms/, "proposedKmsUris"],
];

/**
 * Reads a KRR. A KRR inside it, which it reduces (D.4), and signatures are passed over.
 *
 * @throws {MikeySakkeError} codec: those of `parseXml`, `GROUP_XML_ROOT`, `GROUP_XML_LIMIT`
 */
export function readKrr(document: string | Uint8Array): KmsRedirectResponse {
  const top = parseXml(document, SMALL_DOCUMENT_LIMITS);
  const root = top.local === `Signed${ROOT}` ? top.children.find((c) => c.local === ROOT) : top;
  if (root?.local !== ROOT) throw malformed(top, `the root is not ${ROOT}`, "GROUP_XML_ROOT");
  const proposed = new Set<string>();
  const single: Partial<Record<keyof KmsRedirectResponse, string>> = {};
  const visit = (source: XmlElement, names: string) => {
    if (source.namespace === DSIG_NAMESPACE || source.local === ROOT) return;
    const name = `${names}/${source.local.toLowerCase()}`;
    for (const child of source.children) visit(child, name);
    const value = trimmed(source.text);
    if (source.children.length > 0 || value === "") return;
    requireAtMost(source, value.length, GROUP_XML_LIMITS.uriLength, "characters");
    const meaning = MEANINGS.find(([pattern]) => pattern.test(name))?.[1];
    if (meaning === "proposedKmsUris") proposed.add(value);
    else if (meaning !== undefined) single[meaning] ??= value;
  };
  for (const child of root.children) visit(child, "");
  requireAtMost(root, proposed.size, MAX_PROPOSED, "proposed KMSs");
  const { initiatorUri, receiverUri, rejectedKmsUri, rejectingEntityUri } = single;
  return {
    ...defined({ initiatorUri, receiverUri, rejectedKmsUri, rejectingEntityUri }),
    proposedKmsUris: [...proposed],
  };
}
