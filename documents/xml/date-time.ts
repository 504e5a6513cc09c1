/** xsd:dateTime. */
import { MikeySakkeError } from "../../base/errors.ts";

const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?$/;

/** The latest time that a Date can hold (ECMA-262 21.4.1.1). */
const MAX_TIME = 8.64e15;

/**
 * Milliseconds since the Unix epoch, or undefined when the text is not a dateTime or no such time exists.
 * The examples of TS 33.180 annex D carry no zone: such times are UTC.
 */
export function parseDateTime(text: string): number | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const part = (i: number) => Number(match[i]);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  const milliseconds = Math.floor(Number(`0.${match[7] ?? "0"}`) * 1000);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const dayExists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const timeExists = hour <= 23 || (hour === 24 && minute + second + milliseconds === 0);
  const zone = zoneMinutes(match[8] ?? "Z");
  if (!dayExists || !timeExists || minute > 59 || second > 59 || zone === undefined) return undefined;
  date.setUTCHours(hour, minute - zone, second, milliseconds);
  return date.getTime();
}

function zoneMinutes(zone: string): number | undefined {
  if (zone === "Z") return 0;
  const minutes = Number(zone.slice(4, 6));
  const total = Number(zone.slice(1, 3)) * 60 + minutes;
  if (minutes > 59 || total > 14 * 60) return undefined;
  return zone[0] === "-" ? -total : total;
}

/** In UTC; whole seconds are written without a fraction. */
export function formatDateTime(time: number): string {
  if (!(Math.abs(time) <= MAX_TIME)) throw new MikeySakkeError("usage", "BAD_TIME", `${time}: not a time`);
  return new Date(time).toISOString().replace(".000Z", "Z");
}
