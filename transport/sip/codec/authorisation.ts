/** Challenges and credentials (RFC 3261 20.7, 20.44, RFC 8760, RFC 8898). */
import { field } from "./field.ts";
import { type Params, type Scanner, unquote } from "./scanner.ts";

/** A scheme with parameters, whose values stand as on the wire, or with a token as Bearer credentials have one. */
export interface AuthValue {
  readonly scheme: string;
  readonly token?: string;
  readonly params: Params;
}

const TOKEN68 = /[-A-Za-z0-9._~+/]+=*(?=[ \t]*$)/y;

function read(scanner: Scanner): AuthValue {
  const scheme = scanner.token("a scheme");
  scanner.expect(/[ \t]+/y, "a blank");
  const token = scanner.match(TOKEN68);
  if (token !== undefined) return { scheme, token, params: new Map() };
  const params = new Map<string, string | undefined>();
  do scanner.param(params);
  while (scanner.eat(","));
  return { scheme, params };
}

function write({ scheme, token, params }: AuthValue): string {
  if (token !== undefined) return `${scheme} ${token}`;
  const list = [...params].map(([name, value]) => (value === undefined ? name : `${name}=${value}`));
  return `${scheme} ${list.join(", ")}`;
}

export const AUTHORIZATION = field("Authorization", "lines", read, write);
export const PROXY_AUTHORIZATION = field("Proxy-Authorization", "lines", read, write);
export const WWW_AUTHENTICATE = field("WWW-Authenticate", "lines", read, write);
export const PROXY_AUTHENTICATE = field("Proxy-Authenticate", "lines", read, write);

/** The text of a parameter, without quotes. */
export function authParam(value: AuthValue, name: string): string | undefined {
  const text = value.params.get(name);
  return text === undefined ? undefined : unquote(text);
}

export function isScheme(value: AuthValue, scheme: string): boolean {
  return value.scheme.toLowerCase() === scheme.toLowerCase();
}
