/** The description of a header field: its name, how its values stand in a message, and how one value is read and written. */
import { Scanner } from "./scanner.ts";

/**
 * RFC 3261 7.3.1. `one`: stands once. `list`: values separated by commas, also on several lines. `lines`: one value
 * a line, as challenges and credentials, whose own commas would be taken for separators.
 */
export type FieldForm = "one" | "list" | "lines";

export interface HeaderField<T> {
  readonly name: string;
  readonly form: FieldForm;
  /** A list that may have no value, as "Supported:" (25.1). */
  readonly mayBeEmpty: boolean;
  read(scanner: Scanner): T;
  write(value: T): string;
}

export function field<T>(
  name: string,
  form: FieldForm,
  read: (scanner: Scanner) => T,
  write: (value: T) => string,
  mayBeEmpty = false,
): HeaderField<T> {
  return { name, form, mayBeEmpty, read, write };
}

/** The values on one line. */
export function readLine<T>(definition: HeaderField<T>, text: string): T[] {
  const scanner = new Scanner(text, definition.name);
  if (definition.mayBeEmpty && scanner.atEnd()) return [];
  const values: T[] = [];
  do values.push(definition.read(scanner));
  while (definition.form === "list" && scanner.eat(","));
  if (!scanner.atEnd()) scanner.fail("unexpected text");
  return values;
}
