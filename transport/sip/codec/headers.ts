/** The header fields of one message, in their order. Values are read when asked for, and kept. */
import { MikeySakkeError } from "../../../base/errors.ts";
import { type HeaderField, readLine } from "./field.ts";
import { fieldOf, fullName, isDispensable, keyOf } from "./names.ts";
import { isToken } from "./scanner.ts";

interface Entry {
  readonly key: string;
  readonly name: string;
  readonly text: string;
}

export class Headers {
  #entries: Entry[] = [];
  readonly #read = new Map<string, unknown[]>();

  /** The names and texts, in order. */
  *[Symbol.iterator](): IterableIterator<readonly [name: string, text: string]> {
    for (const { name, text } of this.#entries) yield [name, text];
  }

  /** Appends a line as it came, under its full name. The text has no line breaks. */
  append(name: string, text: string): this {
    if (!isToken(name))
      throw new MikeySakkeError("usage", "SIP_BAD_TEXT", "SIP: malformed header field name");
    if (/[\r\n]/.test(text)) {
      throw new MikeySakkeError("usage", "SIP_BAD_TEXT", `SIP ${name}: a value cannot hold a line break`);
    }
    const key = keyOf(name);
    this.#entries.push({ key, name: fullName(name), text });
    this.#read.delete(key);
    return this;
  }

  has(name: string | HeaderField<unknown>): boolean {
    const key = keyOf(typeof name === "string" ? name : name.name);
    return this.#entries.some((entry) => entry.key === key);
  }

  /** The texts of a field that this package does not read. */
  texts(name: string): string[] {
    const key = keyOf(name);
    return this.#entries.filter((entry) => entry.key === key).map((entry) => entry.text);
  }

  /** All values of a field. */
  all<T>(field: HeaderField<T>): readonly T[] {
    const key = field.name.toLowerCase();
    let values = this.#read.get(key) as T[] | undefined;
    if (values === undefined) {
      values = [];
      for (const entry of this.#entries) {
        if (entry.key === key) values.push(...readLine(field, entry.text));
      }
      this.#read.set(key, values);
    }
    return values;
  }

  /** The first value of a field: the only one, where it stands once. */
  get<T>(field: HeaderField<T>): T | undefined {
    return this.all(field)[0];
  }

  /** The value of a field that must be there. */
  need<T>(field: HeaderField<T>): T {
    const value = this.get(field);
    if (value === undefined) throw new MikeySakkeError("codec", "SIP_HEADER", `SIP ${field.name}: missing`);
    return value;
  }

  /** Exchanges all values, where the field stands now or at the end. No values: removes it. */
  set<T>(field: HeaderField<T>, ...values: readonly T[]): this {
    const key = field.name.toLowerCase();
    const lines = values.map((value) => ({ key, name: field.name, text: field.write(value) }));
    const at = this.#entries.findIndex((entry) => entry.key === key);
    if (at < 0) {
      this.#entries.push(...lines);
      this.#read.delete(key);
      return this;
    }
    const others = this.#entries.filter((entry) => entry.key !== key);
    others.splice(at, 0, ...lines);
    this.#entries = others;
    this.#read.delete(key);
    return this;
  }

  /** Puts a value before the others, as a new Via (RFC 3261 18.1.1) or Record-Route. */
  prepend<T>(field: HeaderField<T>, value: T): this {
    return this.set(field, value, ...this.all(field));
  }

  delete(name: string): this {
    const key = keyOf(name);
    this.#entries = this.#entries.filter((entry) => entry.key !== key);
    this.#read.delete(key);
    return this;
  }

  /** Takes over all lines of that field of another message, as they are. */
  copy(field: HeaderField<unknown>, from: Headers): this {
    for (const text of from.texts(field.name)) this.append(field.name, text);
    return this;
  }

  clone(): Headers {
    const copy = new Headers();
    copy.#entries = [...this.#entries];
    return copy;
  }

  /** Reads every field that this package knows, so that a malformed one is refused now and not later, or left out. */
  check(): void {
    this.#leaveOut();
    const lines = new Map<string, number>();
    for (const { key } of this.#entries) lines.set(key, (lines.get(key) ?? 0) + 1);
    for (const [key, count] of lines) {
      const field = fieldOf(key);
      if (field === undefined) continue;
      // RFC 3261 7.3.1: more lines than one only where the value is a list.
      if (field.form === "one" && count > 1) {
        throw new MikeySakkeError("codec", "SIP_HEADER", `SIP ${field.name}: stands more than once`);
      }
      this.all(field);
    }
  }

  /** Lines of fields that nobody needs and that cannot be read, and of those that stand once all but the first. */
  #leaveOut(): void {
    const seen = new Set<string>();
    this.#entries = this.#entries.filter(({ key, text }) => {
      const field = isDispensable(key) ? fieldOf(key) : undefined;
      if (field === undefined) return true;
      if (field.form === "one" && seen.has(key)) return false;
      try {
        readLine(field, text);
      } catch (error) {
        if (!(error instanceof MikeySakkeError)) throw error;
        return false;
      }
      seen.add(key);
      return true;
    });
  }
}
