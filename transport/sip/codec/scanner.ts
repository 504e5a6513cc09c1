/** Reads the value of a header field from left to right. The rules are those of RFC 3261 25.1. */
import { MikeySakkeError } from "../../../base/errors.ts";

export const TOKEN = "[-A-Za-z0-9.!%*_+`'~]+";
/** Within quotes: any octet of text, and with a backslash also a control character, but no CR or LF. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the grammar names them
const QUOTED = /"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\x00-\x09\x0b\x0c\x0e-\x7f])*"/y;

const BLANKS = /[ \t]*/y;
const TOKEN_HERE = new RegExp(TOKEN, "y");
/** gen-value: token, host or quoted-string; the parameter received also has IPv6 without brackets (20.42). */
const VALUE_HERE = new RegExp(`[0-9A-Fa-f.]*:[0-9A-Fa-f:.]+|${TOKEN}|\\[[0-9A-Fa-f:.]+\\]`, "y");

/**
 * Parameters by their lower-case name, in order. A value is as it stands on the wire, so with its quotes where it has
 * some; undefined is a parameter without a value.
 */
export type Params = ReadonlyMap<string, string | undefined>;

export class Scanner {
  #at = 0;
  readonly #text: string;
  readonly #field: string;

  constructor(text: string, field: string) {
    this.#text = text;
    this.#field = field;
  }

  fail(what: string): never {
    const text = `SIP ${this.#field}: ${what} at character ${this.#at}`;
    throw new MikeySakkeError("codec", "SIP_HEADER", text);
  }

  /** Returns what the sticky expression matches here, or undefined. */
  match(expression: RegExp): string | undefined {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  expect(expression: RegExp, what: string): string {
    return this.match(expression) ?? this.fail(`expected ${what}`);
  }

  blanks(): void {
    this.match(BLANKS);
  }

  /** Takes a separator and the blanks around it (SWS), or nothing. */
  eat(separator: string): boolean {
    const before = this.#at;
    this.blanks();
    if (!this.#text.startsWith(separator, this.#at)) {
      this.#at = before;
      return false;
    }
    this.#at += separator.length;
    this.blanks();
    return true;
  }

  need(separator: string): void {
    if (!this.eat(separator)) this.fail(`expected "${separator}"`);
  }

  token(what: string): string {
    return this.expect(TOKEN_HERE, what);
  }

  /** A quoted string with its quotes. */
  quoted(): string | undefined {
    return this.match(QUOTED);
  }

  atEnd(): boolean {
    this.blanks();
    return this.#at === this.#text.length;
  }

  rest(): string {
    const rest = this.#text.slice(this.#at);
    this.#at = this.#text.length;
    return rest;
  }

  /** *( SEMI generic-param ). A name stands once (RFC 3261 7.3.1). */
  params(): Params {
    const params = new Map<string, string | undefined>();
    while (this.eat(";")) this.param(params);
    return params;
  }

  param(params: Map<string, string | undefined>): void {
    const name = this.token("a parameter").toLowerCase();
    if (params.has(name)) this.fail(`the parameter ${name} stands twice`);
    params.set(name, this.eat("=") ? this.value() : undefined);
  }

  value(): string {
    return this.quoted() ?? this.expect(VALUE_HERE, "a value");
  }

  /** 1*DIGIT up to a limit. */
  number(limit: number): number {
    const digits = this.expect(/[0-9]+/y, "a number");
    const value = Number(digits);
    if (value > limit) this.fail(`number above ${limit}`);
    return value;
  }
}

export function writeParams(params: Params): string {
  let out = "";
  for (const [name, value] of params) out += value === undefined ? `;${name}` : `;${name}=${value}`;
  return out;
}

/** The text of a value: without quotes and backslashes where it is a quoted string. */
export function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/gs, "$1") : value;
}

/** A quoted string of the text. CR and LF cannot be written (RFC 3261 25.1, quoted-pair). */
export function quote(text: string): string {
  if (/[\r\n]/.test(text)) {
    throw new MikeySakkeError("usage", "SIP_BAD_TEXT", "SIP: a quoted string cannot hold a line break");
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those that need a backslash
  return `"${text.replace(/["\\\x00-\x08\x0b-\x1f\x7f]/g, "\\$&")}"`;
}

const WHOLE_TOKEN = new RegExp(`^${TOKEN}$`);

export function isToken(text: string): boolean {
  return WHOLE_TOKEN.test(text);
}
