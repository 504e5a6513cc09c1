/** Names, times and states as people say them. */
import type { DeliveryState, RekeyKind, RekeyRecord } from "../../../store/gms/records.ts";

export const STATE_WORDS: Readonly<Record<DeliveryState, string>> = {
  planned: "being sealed",
  sealed: "not taken yet",
  delivered: "sent",
  acknowledged: "accepted",
  refused: "refused",
  unreachable: "offline",
  superseded: "overtaken",
};

export const STATES = [
  "acknowledged",
  "refused",
  "unreachable",
  "delivered",
  "sealed",
  "planned",
] as const satisfies readonly DeliveryState[];

const KIND_WORDS: Readonly<Record<RekeyKind, string>> = {
  distribute: "new key",
  renew: "same key again",
  revoke: "revocation",
};

/** `sip:alice@example.org` as alice. */
export function shortName(uri: string): string {
  return /^sips?:([^@;]+)@/.exec(uri)?.[1] ?? uri;
}

export function hex(gmkId: number): string {
  return gmkId.toString(16).padStart(8, "0");
}

/** Made once: a page of rows is drawn anew whenever something comes. */
const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const DATE_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" });

export function timeText(ms: number): string {
  const isToday = new Date(ms).toDateString() === new Date().toDateString();
  return (isToday ? TIME : DATE_TIME).format(ms);
}

export function span(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

export function rekeyText({ kind, gmkId, cause, createdAt }: RekeyRecord): string {
  return `${KIND_WORDS[kind]} ${hex(gmkId)}, ${timeText(createdAt)}, ${cause}`;
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
