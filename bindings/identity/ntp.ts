/**
 * NTP timestamps as the T payload carries them (RFC 3830 6.6, TS type 0): 32 bits of seconds since
 * 1900-01-01T00:00:00Z and 32 bits of binary fraction.
 *
 * The seconds wrap in 2036. As RFC 6043 6.3 (RFC 4330) rules for 32-bit stamps, a set top bit means
 * 1968 to 2036 and a clear one 2036 to 2104; arithmetic on periods and order uses the unfolded value.
 */
import { MikeySakkeError } from "../../base/errors.ts";

/** A 64-bit NTP timestamp as on the wire. */
export type NtpTime = bigint;

/** Seconds from the NTP epoch (1900) to the Unix epoch (1970). */
export const NTP_UNIX_OFFSET = 2208988800;

const ERA_SECONDS = 2 ** 32;
const FIRST_SECOND = 2 ** 31;
const LAST_SECOND = FIRST_SECOND + ERA_SECONDS - 1;

/** Unix milliseconds (whole, 1968 to 2104) as an NTP timestamp. Throws a usage error outside that range. */
export function ntpFromUnixMs(ms: number): NtpTime {
  const seconds = Math.floor(ms / 1000) + NTP_UNIX_OFFSET;
  if (!(seconds >= FIRST_SECOND && seconds <= LAST_SECOND)) {
    throw new MikeySakkeError("usage", "TIME_OUT_OF_RANGE", `time ${ms} ms: outside 1968 to 2104`);
  }
  const rest = Math.floor(ms - Math.floor(ms / 1000) * 1000);
  // Rounded up, so that the way back, which rounds down, returns the same millisecond.
  const fraction = Math.ceil((rest * ERA_SECONDS) / 1000);
  return (BigInt(seconds % ERA_SECONDS) << 32n) | BigInt(fraction);
}

/** Milliseconds since the Unix epoch, rounded down. */
export function ntpToUnixMs(time: NtpTime): number {
  const fraction = Number(time & 0xffffffffn);
  return (ntpSeconds(time) - NTP_UNIX_OFFSET) * 1000 + Math.floor((fraction * 1000) / ERA_SECONDS);
}

/** Whole seconds since 1900-01-01, the TIME of F.2.1, with the era put back. */
export function ntpSeconds(time: NtpTime): number {
  return Number(ntpUnfold(time) >> 32n);
}

/** The timestamp on one line through both eras, for comparison and addition. */
export function ntpUnfold(time: NtpTime): bigint {
  return time >> 63n === 1n ? time : time + (1n << 64n);
}

/** The wire form of an unfolded timestamp. */
export function ntpFold(unfolded: bigint): NtpTime {
  return unfolded & 0xffffffffffffffffn;
}

/** NTP seconds (era put back) as milliseconds since the Unix epoch. */
export function ntpSecondsToUnixMs(seconds: number): number {
  return (seconds - NTP_UNIX_OFFSET) * 1000;
}
