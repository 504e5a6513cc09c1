/** Timestamp payload T (RFC 3830 6.6; type 3 of RFC 6043 6.3). TS 33.180 uses type 0 only. */
import { concat } from "../../base/bytes.ts";
import { refusal } from "../../base/checks.ts";
import { type NtpTime, ntpToUnixMs } from "../identity/ntp.ts";
import { TS_NTP_UTC, TS_TYPE_NAMES } from "./codes.ts";
import type { Reader } from "./reader.ts";
import { u8, u32, u64 } from "./writer.ts";

export interface TimestampPayload {
  readonly payload: "T";
  readonly tsType: number;
  /** 64 bits for types 0 and 1, 32 bits for types 2 and 3. */
  readonly value: NtpTime;
}

export function decodeTimestamp(r: Reader): TimestampPayload {
  const offset = r.offset;
  const tsType = r.u8("TS type", TS_TYPE_NAMES);
  if (tsType === 0 || tsType === 1) return { payload: "T", tsType, value: r.u64("TS value", describeTime) };
  if (tsType === 2 || tsType === 3) return { payload: "T", tsType, value: BigInt(r.u32("TS value")) };
  throw refusal("BAD_TIMESTAMP_TYPE", `TS type ${tsType}: not known`, { offset });
}

export function encodeTimestamp(p: TimestampPayload): Uint8Array {
  return concat(u8(p.tsType), p.tsType <= TS_NTP_UTC + 1 ? u64(p.value) : u32(Number(p.value)));
}

function describeTime(value: NtpTime): string {
  return new Date(ntpToUnixMs(value)).toISOString();
}
