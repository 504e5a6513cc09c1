/** Reads what a subscriber asks for (RFC 5875 4.3, 4.4): its resources, and in which form it wants their changes. */
import {
  gktpGroupPath,
  groupDocumentPath,
  MEDIA,
  parseXcapPath,
  readResourceLists,
} from "../../../documents/group-xml/index.ts";
import { ACCEPT, EVENT, isSameUri, type SipRequest } from "../../../transport/sip/index.ts";
import { INFO_READERS } from "../../server/sip-caller.ts";
import { partsOf } from "./body.ts";
import { SubscribeRefusal } from "./subscribe-refusal.ts";

/** RFC 5875 4.3. */
export type DiffMode = "no-patching" | "xcap-patching" | "aggregate";

/** One resource of the list, or all of a kind below a collection. `sel` is as it was subscribed to, octet by octet. */
export type Entry =
  | { readonly kind: "group" | "gktp-group"; readonly sel: string; readonly group: string }
  | { readonly kind: "groups" | "gktp-groups"; readonly sel: string }
  /** The member's own document. */
  | { readonly kind: "gktp"; readonly sel: string };

export interface Subscribed {
  readonly mode: DiffMode;
  /** The subscriber takes I_MESSAGEs beside the diff. */
  readonly mikey: boolean;
  readonly entries: readonly Entry[];
  /** Entries that are left out: other members' keys, and what is no resource here. */
  readonly leftOut: number;
}

export interface ReadOptions {
  readonly member: string;
  readonly xcapRoot: string;
  readonly maxOctets: number;
  readonly maxEntries: number;
  /** The list that holds for a SUBSCRIBE without one: a refresh that changes nothing. */
  readonly before: Subscribed | undefined;
}

const MODES: readonly string[] = ["xcap-patching", "aggregate"];

/** @throws {SubscribeRefusal} BODY_TOO_LARGE, BAD_BODY, BODY_TYPE, LIST_MISSING, LIST_TOO_LONG, NOT_ACCEPTABLE */
export function readSubscribed(request: SipRequest, options: ReadOptions): Subscribed {
  const parts = partsOf(request, options.maxOctets);
  const list = parts.get(MEDIA.resourceLists);
  const asked = request.headers.get(EVENT)?.params.get("diff-processing")?.toLowerCase() ?? "";
  const mode = (MODES.includes(asked) ? asked : "no-patching") as DiffMode;
  const form = { mode, mikey: takesMikey(request) };
  if (list !== undefined) return { ...form, ...readEntries(list, options) };
  if (options.before !== undefined && isListless(parts)) return { ...options.before, ...form };
  throw new SubscribeRefusal(isListless(parts) ? "LIST_MISSING" : "BODY_TYPE");
}

/** Nothing but what may accompany a list. */
function isListless(parts: ReadonlyMap<string, Uint8Array>): boolean {
  return [...parts.keys()].every((type) => INFO_READERS.has(type) || type === MEDIA.mikey);
}

function takesMikey({ headers }: SipRequest): boolean {
  const accepted = headers.all(ACCEPT).map(({ value }) => value);
  // RFC 5875 4.4: whoever names types must name that of the diff.
  const diff = [MEDIA.xcapDiff, "application/*", "*/*"];
  if (headers.has(ACCEPT) && !diff.some((type) => accepted.includes(type))) {
    throw new SubscribeRefusal("NOT_ACCEPTABLE");
  }
  return accepted.includes(MEDIA.mikey) && accepted.includes(MEDIA.multipartMixed);
}

function readEntries(list: Uint8Array, options: ReadOptions): Pick<Subscribed, "entries" | "leftOut"> {
  let uris: string[];
  try {
    uris = readResourceLists(list);
  } catch (cause) {
    throw new SubscribeRefusal("BAD_BODY", "the resource list cannot be read", cause);
  }
  if (uris.length > options.maxEntries) {
    throw new SubscribeRefusal("LIST_TOO_LONG", `${uris.length} entries, at most ${options.maxEntries}`);
  }
  const entries = new Map<string, Entry>();
  let leftOut = 0;
  for (const uri of uris) {
    const entry = entryOf(relative(uri, options.xcapRoot), options.member);
    if (entry === undefined) leftOut++;
    else if (!entries.has(nameOf(entry))) entries.set(nameOf(entry), entry);
  }
  return { entries: [...entries.values()], leftOut };
}

/** By what it names, not by how that is spelled: with percent signs one document has many paths, and is told of once. */
function nameOf(entry: Entry): string {
  return "group" in entry ? `${entry.kind} ${entry.group}` : entry.kind;
}

/** RFC 5875 4.4: entries are absolute or relative to the XCAP root. */
function relative(uri: string, xcapRoot: string): string {
  const root = xcapRoot.endsWith("/") ? xcapRoot : `${xcapRoot}/`;
  return uri.startsWith(root) ? uri.slice(root.length) : uri;
}

/** Undefined for keys of others, what is no resource here, and parts of documents, of which nothing is told. */
function entryOf(sel: string, member: string): Entry | undefined {
  let path: ReturnType<typeof parseXcapPath>;
  try {
    path = parseXcapPath(sel);
  } catch {
    return undefined;
  }
  if (path === undefined || ("node" in path && path.node !== undefined)) return undefined;
  switch (path.kind) {
    case "group":
    case "gktp-group":
      return { kind: path.kind, sel, group: path.group };
    case "group-collection":
      return { kind: "groups", sel };
    case "gktp-group-collection":
      return { kind: "gktp-groups", sel };
    case "gktp-user":
      return isSameUri(path.xui, member) ? { kind: "gktp", sel } : undefined;
    case "gktp-collection":
      // Below a collection the path is the server's to write.
      return isSameUri(path.xui, member) ? { kind: "gktp", sel: `${sel}gktp.xml` } : undefined;
    default:
      return undefined;
  }
}

/** Documents below a collection have the paths that this server gives them. */
export function documentSel(entry: Entry, group: string): string {
  if ("group" in entry) return entry.sel;
  return entry.kind === "groups" ? groupDocumentPath(group) : gktpGroupPath(group);
}
