/** Makes texts that somebody sent fit for a column. */
const UNSTORABLE = /\0|\p{Cs}/gu;

/** PostgreSQL has no U+0000 in text and no lone surrogates; what somebody sent must not keep an entry out. */
export function storable(text: string): string {
  return text.replace(UNSTORABLE, "\ufffd");
}

export function isStorable(text: string): boolean {
  return text.search(UNSTORABLE) === -1;
}

export function storableOrNull(text: string | undefined): string | null {
  return text === undefined ? null : storable(text);
}

/** JSON for a `jsonb`; null for nothing. */
export function storableJson(value: Readonly<Record<string, unknown>> | undefined): string | null {
  if (value === undefined) return null;
  return JSON.stringify(value, (_, one) => (typeof one === "string" ? storable(one) : one));
}
