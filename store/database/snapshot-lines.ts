/**
 * The lines of a snapshot. Each is one JSON text: a row is an object, as `row_to_json` writes it; anything else is an array
 * that begins with its name.
 */
export const LINE = {
  /** `["schema", version, madeAt]`, the first: migrations that the tables have had, and the time by the database's clock. */
  schema: "schema",
  /** `["sequence", table, column, last]`: the greatest number that an identity column has given. */
  sequence: "sequence",
  /** `["table", name]`: rows of this table follow. */
  table: "table",
  /** `["end", rows]`, the last. */
  end: "end",
} as const;

export type ControlLine =
  | readonly ["schema", number, number]
  | readonly ["sequence", string, string, number]
  | readonly ["table", string]
  | readonly ["end", number];

export function controlLine(line: ControlLine): string {
  return `${JSON.stringify(line)}\n`;
}

export function isRow(line: string): boolean {
  return line.startsWith("{");
}
