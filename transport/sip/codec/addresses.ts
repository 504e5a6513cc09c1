/** Header fields that hold addresses: Via, From, To, Contact, Route, Record-Route and their like (RFC 3261 20). */
import { field } from "./field.ts";
import { isToken, type Params, type Scanner, TOKEN, writeParams } from "./scanner.ts";
import { HOST_HERE, parseUri } from "./uri.ts";

export interface NameAddress {
  /** As on the wire: tokens, or a quoted string with its quotes. */
  readonly display?: string;
  readonly uri: string;
  readonly params: Params;
}

export interface Via {
  /** UDP, TCP, TLS, SCTP, WS, WSS or another; upper case. */
  readonly transport: string;
  readonly host: string;
  readonly port?: number;
  readonly params: Params;
}

/** A display name of tokens; the one regular expression walks over it once. */
const TOKENS = new RegExp(`${TOKEN.slice(0, -2)} \\t]*(?=<)`, "y");
/** 20.10: without <> a URI has no comma, semicolon or question mark. */
const BARE = /[^ \t<>",;?]+/y;

function readNameAddress(scanner: Scanner): NameAddress {
  const quoted = scanner.quoted();
  if (quoted !== undefined) scanner.blanks();
  const display = quoted ?? scanner.match(TOKENS)?.trim();
  if (display === undefined) {
    const uri = scanner.expect(BARE, "an address");
    checkUri(scanner, uri);
    return { uri, params: scanner.params() };
  }
  return { ...(display === "" ? {} : { display }), ...readBracketed(scanner) };
}

function readBracketed(scanner: Scanner): NameAddress {
  scanner.expect(/</y, "<");
  const uri = scanner.expect(/[^<>]*/y, "an address");
  checkUri(scanner, uri);
  scanner.expect(/>/y, ">");
  return { uri, params: scanner.params() };
}

function checkUri(scanner: Scanner, uri: string): void {
  try {
    parseUri(uri);
  } catch {
    scanner.fail("malformed URI");
  }
}

/** Routes are name-addr only (25.1): a display name, if any, and <>. */
function readRoute(scanner: Scanner): NameAddress {
  const quoted = scanner.quoted();
  if (quoted !== undefined) scanner.blanks();
  const display = quoted ?? scanner.expect(TOKENS, "<").trim();
  return { ...(display === "" ? {} : { display }), ...readBracketed(scanner) };
}

function writeNameAddress(address: NameAddress): string {
  const display = address.display === undefined ? "" : `${address.display} `;
  return `${display}<${address.uri}>${writeParams(address.params)}`;
}

export function nameAddress(uri: string, params: Params = new Map()): NameAddress {
  return { uri, params };
}

function readVia(scanner: Scanner): Via {
  if (scanner.token("SIP").toUpperCase() !== "SIP") scanner.fail("not of SIP");
  scanner.need("/");
  if (scanner.token("a version") !== "2.0") scanner.fail("not of SIP/2.0");
  scanner.need("/");
  const transport = scanner.token("a transport").toUpperCase();
  scanner.expect(/[ \t]+/y, "a blank");
  const host = scanner.expect(HOST_HERE, "a host");
  const port = scanner.eat(":") ? scanner.number(65535) : undefined;
  return { transport, host, ...(port === undefined ? {} : { port }), params: scanner.params() };
}

function writeVia(via: Via): string {
  const port = via.port === undefined ? "" : `:${via.port}`;
  return `SIP/2.0/${via.transport} ${via.host}${port}${writeParams(via.params)}`;
}

export const VIA = field<Via>("Via", "list", readVia, writeVia);
export const FROM = field<NameAddress>("From", "one", readNameAddress, writeNameAddress);
export const TO = field<NameAddress>("To", "one", readNameAddress, writeNameAddress);
export const ROUTE = field<NameAddress>("Route", "list", readRoute, writeNameAddress);
export const RECORD_ROUTE = field<NameAddress>("Record-Route", "list", readRoute, writeNameAddress);
export const PATH = field<NameAddress>("Path", "list", readRoute, writeNameAddress);
export const SERVICE_ROUTE = field<NameAddress>("Service-Route", "list", readRoute, writeNameAddress);
export const ASSERTED_IDENTITY = field<NameAddress>(
  "P-Asserted-Identity",
  "list",
  readNameAddress,
  writeNameAddress,
);

/** "*" stands for all contacts, in a REGISTER that removes them (10.2.2). */
export const CONTACT = field<NameAddress | "*">(
  "Contact",
  "list",
  (scanner) => (scanner.match(/\*(?=[ \t]*$)/y) === undefined ? readNameAddress(scanner) : "*"),
  (contact) => (contact === "*" ? contact : writeNameAddress(contact)),
);

/** The tag of a From or To, if there is one. */
export function tagOf(address: NameAddress): string | undefined {
  const tag = address.params.get("tag");
  return tag !== undefined && isToken(tag) ? tag : undefined;
}
