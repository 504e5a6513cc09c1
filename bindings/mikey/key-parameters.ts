/** Key Parameters (TS 33.180 E.6): what the initiator says about a key, encrypted under that key. */
import { concat, fromUtf8, utf8 } from "../../base/bytes.ts";
import { refusal } from "../../base/checks.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { type KeyKind, keyKindOfTag, PURPOSE_TAGS } from "../identity/purpose-tag.ts";
import { Reader } from "./reader.ts";
import type { Tolerance } from "./tolerance.ts";
import { u8, u16, u32, u40 } from "./writer.ts";

/** TS 24.282 15.2.14, MCData group ID. The IEIs of MCPTT and MCVideo group IDs are not known. */
export const GROUP_ID_IEI = 0x7b;

export interface GroupId {
  readonly iei: number;
  readonly uri: string;
}

export interface KeyParameters {
  readonly kind: KeyKind;
  /** Status bit 1 clear (E.6.9): the key must not be used. */
  readonly revoked: boolean;
  /** Status bit 2: shared with a security gateway. */
  readonly sharedWithGateway: boolean;
  /** Unix seconds; 0 stands for the time of the T payload (E.6.4). */
  readonly activation: number;
  /** Unix seconds; 0 stands for never (E.6.10). */
  readonly expiry: number;
  /** Human readable name (E.6.5). */
  readonly text: string;
  /** Groups that use the key (E.6.3); only GMK, MKFC and MuSiK carry them. */
  readonly groups: readonly GroupId[];
}

const NOT_REVOKED = 0x00000001;
const SHARED_WITH_GATEWAY = 0x00000002;

/** Parameters of a key that is valid at once and for ever. */
export function defaultKeyParameters(kind: KeyKind): KeyParameters {
  return { kind, revoked: false, sharedWithGateway: false, activation: 0, expiry: 0, text: "", groups: [] };
}

/** Group URIs as MCData group IDs. */
export function groupIds(uris: readonly string[]): GroupId[] {
  return uris.map((uri) => ({ iei: GROUP_ID_IEI, uri }));
}

function carriesGroups(kind: KeyKind): boolean {
  return kind === "GMK" || kind === "MKFC" || kind === "MuSiK";
}

/** Content of table E.6.1-1, without an element header of its own: that is what products write. */
export function encodeKeyParameters(p: KeyParameters): Uint8Array {
  const status = (p.revoked ? 0 : NOT_REVOKED) | (p.sharedWithGateway ? SHARED_WITH_GATEWAY : 0);
  const text = utf8(p.text);
  const head = concat(
    u8(PURPOSE_TAGS[p.kind]),
    u32(status),
    u40(p.activation),
    u40(p.expiry),
    u16(text.length),
    text,
  );
  if (!carriesGroups(p.kind)) {
    if (p.groups.length > 0)
      throw new MikeySakkeError("usage", "NO_GROUPS", `${p.kind}: carries no group IDs`);
    return head;
  }
  const elements = p.groups.map((g) => {
    const uri = utf8(g.uri);
    return concat(u8(g.iei), u16(uri.length), uri);
  });
  const groups = concat(u8(p.groups.length), ...elements);
  return concat(head, u16(groups.length), groups);
}

/**
 * Reads decrypted Key Parameters; throws check 50. Octets behind the known elements are Reserved and ignored.
 * E.6.1 gives the element a header (IEI and length) that products leave out: both forms are read.
 */
export function decodeKeyParameters(octets: Uint8Array, tolerance: Tolerance = {}): KeyParameters {
  const bare = attempt(octets, 0, tolerance);
  if (bare?.exact) return bare.parameters;
  if (octets.length >= 3 && octets[1]! * 256 + octets[2]! === octets.length - 3) {
    const inner = attempt(octets, 3, tolerance);
    if (inner !== undefined) return inner.parameters;
  }
  if (bare !== undefined) return bare.parameters;
  throw refusal("BAD_KEY_PARAMETERS", "key parameters: not readable");
}

/** The older vendor format counts Key Type from 1. */
export function decodeUnprotectedParameters(octets: Uint8Array, tolerance: Tolerance = {}): KeyParameters {
  const shifted = octets.slice();
  shifted[0] = shifted[0]! - 1;
  return decodeKeyParameters(shifted, tolerance);
}

function attempt(
  octets: Uint8Array,
  start: number,
  tolerance: Tolerance,
): { parameters: KeyParameters; exact: boolean } | undefined {
  const r = new Reader(octets, { start });
  try {
    const parameters = readContent(r, tolerance);
    return { parameters, exact: r.remaining === 0 };
  } catch (error) {
    if (error instanceof MikeySakkeError) return undefined;
    throw error;
  }
}

function readContent(r: Reader, { statusZero = false }: Tolerance): KeyParameters {
  const type = r.u8("key type");
  const kind = keyKindOfTag(type);
  if (kind === undefined) throw refusal("BAD_KEY_PARAMETERS", `key type ${type}: not defined`);
  const status = r.u32("status");
  const activation = r.u40("activation time");
  const expiry = r.u40("expiry time");
  // A name in another character set must not cost the key: what is not UTF-8 shows as replacement characters.
  const text = new TextDecoder().decode(r.take(r.u16("text length"), "text"));
  const groups = carriesGroups(kind) && r.remaining > 0 ? readGroups(r) : [];
  return {
    kind,
    revoked: (status & NOT_REVOKED) === 0 && !(statusZero && status === 0),
    sharedWithGateway: (status & SHARED_WITH_GATEWAY) !== 0,
    activation,
    expiry,
    text,
    groups,
  };
}

function readGroups(r: Reader): GroupId[] {
  const list = r.part(r.u16("group IDs length"), "group IDs");
  const groups: GroupId[] = [];
  for (let left = list.u8("number of group IDs"); left > 0; left--) {
    const iei = list.u8("group ID IEI");
    groups.push({ iei, uri: fromUtf8(list.take(list.u16("group ID length"), "group ID"), "group ID") });
  }
  if (list.remaining > 0) throw refusal("BAD_KEY_PARAMETERS", "group IDs: length does not fit their number");
  return groups;
}
