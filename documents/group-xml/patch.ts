/**
 * Patch operations on GKTP documents (RFC 5261 4.3, 4.5), of those that RFC 5874 puts into xcap-diff documents: an entry
 * added as the last child of GMK-GKTPs, and the n-th entry removed.
 */
import { MikeySakkeError } from "../../base/errors.ts";
import { resolveXmlPrefix, type XmlElement } from "../xml/xml-reader.ts";
import { element, type XmlNode } from "../xml/xml-writer.ts";
import { attribute } from "./fields.ts";
import { type GktpEntry, gktpNode, readGktp } from "./gktp.ts";
import { GKTP_NAMESPACE, GROUP_XML_LIMITS, XCAP_DIFF_NAMESPACE } from "./names.ts";

export type GktpPatch =
  | { readonly add: GktpEntry }
  /** Counted from 1 among the entries without temporary group, as they are when this operation is reached. */
  | { readonly remove: number };

/** Bound to the namespace of GKTP documents on the root of an xcap-diff document. */
export const GKTP_PREFIX = "g";

const LIST = "g:GKTPs/g:GMK-GKTPs";
const STEPS = ["GKTPs", "GMK-GKTPs", "GKTP"];

/** @throws {MikeySakkeError} usage `BAD_PATCH` for an entry of a temporary group or an index that is none */
export function patchNode(patch: GktpPatch): XmlNode {
  if ("add" in patch) {
    if (patch.add.temporaryGroup !== undefined) throw badPatch("entries of temporary groups are not patched");
    return element("add", { sel: LIST }, [gktpNode(patch.add, GKTP_NAMESPACE)]);
  }
  if (!Number.isInteger(patch.remove) || patch.remove < 1 || patch.remove > GROUP_XML_LIMITS.gktpEntries)
    throw badPatch("no such position");
  return element("remove", { sel: `${LIST}/g:GKTP[${patch.remove}]` }, []);
}

function badPatch(what: string): MikeySakkeError {
  return new MikeySakkeError("usage", "BAD_PATCH", `patch of a GKTP document: ${what}`);
}

/**
 * The operations of a `document` element, or undefined when one is not of the two kinds: whoever reads it has to fetch
 * the document.
 *
 * @throws {MikeySakkeError} codec, when an entry that is added is malformed
 */
export function readPatches(source: XmlElement): GktpPatch[] | undefined {
  const patches: GktpPatch[] = [];
  for (const child of source.children) {
    if (child.namespace !== XCAP_DIFF_NAMESPACE) continue;
    const patch = readPatch(child);
    if (patch === undefined) return undefined;
    patches.push(patch);
  }
  return patches;
}

function readPatch(source: XmlElement): GktpPatch | undefined {
  const sel = stepsOf(source);
  if (sel === undefined) return undefined;
  if (source.local === "remove") return sel.position === undefined ? undefined : { remove: sel.position };
  const [added, ...more] = source.children;
  const isGktp = added?.local === "GKTP" && added.namespace === GKTP_NAMESPACE && more.length === 0;
  const isAppended = attribute(source, "type") === undefined && attribute(source, "pos") === undefined;
  if (source.local !== "add" || sel.position !== undefined || !isGktp || !isAppended) return undefined;
  return { add: readGktp(added) };
}

/**
 * Understands GKTPs/GMK-GKTPs and GKTPs/GMK-GKTPs/GKTP[n]. A step with prefix must be of the GKTP namespace in the scope
 * of the operation. One without would be of the default namespace (RFC 5261 4.2.2), most often that of xcap-diff itself;
 * since nothing there has these names, it is taken for what its writer must have meant.
 */
function stepsOf(source: XmlElement): { position?: number } | undefined {
  const match = /^\/?([^/[\]]+)\/([^/[\]]+)(?:\/([^/[\]]+)\[([1-9]\d{0,8})\])?$/.exec(
    attribute(source, "sel") ?? "",
  );
  if (match === null) return undefined;
  const steps = match.slice(1, 4).filter((step) => step !== undefined);
  const isGktp = (step: string, i: number) => {
    const [local, prefix] = step.split(":").reverse();
    if (local !== STEPS[i]) return false;
    return prefix === undefined || resolveXmlPrefix(source.scope, prefix) === GKTP_NAMESPACE;
  };
  if (!steps.every(isGktp)) return undefined;
  return match[4] === undefined ? {} : { position: Number(match[4]) };
}

/**
 * The entries after the operations, in their order.
 *
 * @throws {MikeySakkeError} codec `XCAP_PATCH` when there is no entry to remove: the document is another one than that
 * which the operations are for
 */
export function applyPatches(entries: readonly GktpEntry[], patches: readonly GktpPatch[]): GktpEntry[] {
  const ordinary = entries.filter(({ temporaryGroup }) => temporaryGroup === undefined);
  const regrouped = entries.filter(({ temporaryGroup }) => temporaryGroup !== undefined);
  for (const patch of patches) {
    if ("add" in patch) {
      ordinary.push(patch.add);
      continue;
    }
    if (ordinary[patch.remove - 1] === undefined) {
      throw new MikeySakkeError("codec", "XCAP_PATCH", `GKTP document: no entry ${patch.remove} to remove`);
    }
    ordinary.splice(patch.remove - 1, 1);
  }
  return [...ordinary, ...regrouped];
}
