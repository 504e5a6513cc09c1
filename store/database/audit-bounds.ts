/**
 * The bounds of an audit entry. Part of it is what somebody sent, so each text is cut, and no entry is larger than some
 * 12 KB, whoever writes it.
 */
import { storable } from "./texts.ts";

/** Characters of who did it and of what it is about: longer URIs are found by their beginning. */
const NAME = 200;
/** Characters of a text of the details, members of a list, and levels. */
const TEXT = 500;
const LIST = 20;
const LEVELS = 4;

export function auditName(name: string): string {
  return cut(storable(name), NAME);
}

export function auditNameOrNull(name: string | undefined): string | null {
  return name === undefined ? null : auditName(name);
}

/** For a `jsonb`; null for nothing. */
export function auditDetail(detail: Readonly<Record<string, unknown>> | undefined): string | null {
  return detail === undefined ? null : JSON.stringify(bounded(detail, 0));
}

function bounded(value: unknown, level: number): unknown {
  if (typeof value === "string") return cut(storable(value), level > 1 ? NAME : TEXT);
  if (typeof value !== "object" || value === null) return value;
  if (level === LEVELS) return "…";
  if (Array.isArray(value)) return value.slice(0, LIST).map((one) => bounded(one, level + 1));
  const few = Object.entries(value).slice(0, LIST);
  return Object.fromEntries(few.map(([name, one]) => [cut(name, NAME), bounded(one, level + 1)]));
}

/** By characters: half a surrogate pair is no text. */
function cut(text: string, most: number): string {
  return text.length <= most ? text : [...text].slice(0, most).join("");
}
