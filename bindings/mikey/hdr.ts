/**
 * Common header (RFC 3830 6.1, RFC 6509 4.1, TS 33.180 E.1.2) with its CS ID map: GENERIC-ID (RFC 6043 6.1.1),
 * the empty map (RFC 4563 4.1) and, for reading only, the SRTP-ID map that older products send.
 */
import { concat } from "../../base/bytes.ts";
import { refusal } from "../../base/checks.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { formatKeyId, type KeyId, keyKind } from "../identity/purpose-tag.ts";
import {
  CS_ID_NAMES,
  DATA_TYPE_NAMES,
  MAP_EMPTY,
  MAP_GENERIC_ID,
  MAP_SRTP_ID,
  MAP_TYPE_NAMES,
  PAYLOAD_NAMES,
  PRF_NAMES,
  PROT_NAMES,
} from "./codes.ts";
import type { Reader } from "./reader.ts";
import { u8, u16, u32 } from "./writer.ts";

/** One crypto session of the CS ID map. */
export interface CryptoSession {
  readonly csId: number;
  readonly protType: number;
  /** The S flag: session data carry ROC and SEQ. */
  readonly hasRoc: boolean;
  /** Policy numbers, each naming an SP payload. */
  readonly policies: readonly number[];
  /** Empty, SSRC (4 octets), or SSRC, ROC and SEQ (10 octets). */
  readonly sessionData: Uint8Array;
  /** For SRTP the MKI. */
  readonly spi: Uint8Array;
}

export interface Hdr {
  readonly version: number;
  readonly dataType: number;
  readonly v: boolean;
  readonly prf: number;
  readonly csbId: KeyId;
  readonly mapType: number;
  readonly csCount: number;
  readonly sessions: readonly CryptoSession[];
}

export function decodeHdr(r: Reader): { hdr: Hdr; next: number } {
  const version = r.u8("version");
  const dataType = r.u8("data type", DATA_TYPE_NAMES);
  const next = r.u8("next payload", PAYLOAD_NAMES);
  const offset = r.offset;
  const vPrf = r.u8("V and PRF func");
  const prf = vPrf & 0x7f;
  r.note("V", offset, 1, vPrf >> 7, vPrf >> 7 === 0 ? "no response asked" : "response asked");
  r.note("PRF func", offset, 1, prf, PRF_NAMES[prf]);
  const csbId = r.u32("CSB ID", describeCsbId);
  const csCount = r.u8("#CS");
  const mapOffset = r.offset;
  const mapType = r.u8("CS ID map type", MAP_TYPE_NAMES);
  const sessions: CryptoSession[] = [];
  if (mapType === MAP_GENERIC_ID) {
    for (let i = 0; i < csCount; i++) sessions.push(decodeGenericId(r));
  } else if (mapType === MAP_SRTP_ID) {
    for (let i = 0; i < csCount; i++) sessions.push(decodeSrtpId(r, i + 1));
  } else if (mapType !== MAP_EMPTY) {
    // The map info cannot be measured, so nothing behind it can be found.
    throw refusal("BAD_CS_ID_MAP", `CS ID map type ${mapType}: not known`, { offset: mapOffset });
  }
  return {
    hdr: { version, dataType, v: vPrf >> 7 === 1, prf, csbId, mapType, csCount, sessions },
    next,
  };
}

function describeCsbId(csbId: KeyId): string {
  const kind = keyKind(csbId);
  if (kind === undefined) return `${formatKeyId(csbId)}, purpose tag ${csbId >>> 28} not defined`;
  return `${kind === "GMK" ? "GUK-ID" : `${kind}-ID`} ${formatKeyId(csbId)}`;
}

function decodeGenericId(r: Reader): CryptoSession {
  const csId = r.u8("CS ID", CS_ID_NAMES);
  const protType = r.u8("prot type", PROT_NAMES);
  const offset = r.offset;
  const sAndP = r.u8("S and #P");
  r.note("S", offset, 1, sAndP >> 7);
  r.note("#P", offset, 1, sAndP & 0x7f);
  const policies = Array.from(r.take(sAndP & 0x7f, "policy numbers"));
  const sessionData = r.take(r.u16("session data length"), "session data");
  const spi = r.take(r.u8("SPI length"), "SPI (MKI)");
  return { csId, protType, hasRoc: sAndP >> 7 === 1, policies, sessionData, spi };
}

/** RFC 3830 6.1.1: the CS ID is implicit, sessions count from 1. */
function decodeSrtpId(r: Reader, csId: number): CryptoSession {
  const policy = r.u8("policy no");
  const sessionData = r.take(8, "SSRC and ROC");
  return { csId, protType: 0, hasRoc: false, policies: [policy], sessionData, spi: new Uint8Array(0) };
}

/** HDR octets with the code of the first payload. Throws a usage error for the read-only SRTP-ID map. */
export function encodeHdr(hdr: Hdr, next: number): Uint8Array {
  if (hdr.mapType !== MAP_EMPTY && hdr.mapType !== MAP_GENERIC_ID) {
    throw new MikeySakkeError("usage", "READ_ONLY_MAP", `CS ID map type ${hdr.mapType}: not written`);
  }
  return concat(
    u8(hdr.version, hdr.dataType, next, (hdr.v ? 0x80 : 0) | hdr.prf),
    u32(hdr.csbId),
    u8(hdr.csCount, hdr.mapType),
    ...hdr.sessions.map(encodeGenericId),
  );
}

function encodeGenericId(s: CryptoSession): Uint8Array {
  return concat(
    u8(s.csId, s.protType, (s.hasRoc ? 0x80 : 0) | s.policies.length, ...s.policies),
    u16(s.sessionData.length),
    s.sessionData,
    u8(s.spi.length),
    s.spi,
  );
}
