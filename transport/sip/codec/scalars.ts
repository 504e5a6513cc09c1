/** Header fields that are numbers, words and lists of words (RFC 3261 20, RFC 6665 8.4, RFC 5839). */
import { field, type HeaderField } from "./field.ts";
import { type Params, quote, type Scanner, TOKEN, unquote, writeParams } from "./scanner.ts";
import { HOST } from "./uri.ts";

const MAX_UINT32 = 0xffff_ffff;

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

/** A word with parameters: a media type, an event package, a subscription state. */
export interface Parameterised {
  readonly value: string;
  readonly params: Params;
}

export interface Warning {
  readonly code: number;
  readonly agent: string;
  readonly text: string;
}

export interface SessionInterval {
  readonly seconds: number;
  readonly params: Params;
}

export interface RetryAfter {
  readonly seconds: number;
  readonly comment?: string;
  readonly params: Params;
}

function count(name: string, limit: number): HeaderField<number> {
  return field(name, "one", (scanner) => scanner.number(limit), String);
}

/** Seconds beyond 2^32 - 1 count as that, since no shorter time is meant (RFC 4475 3.1.2.4). */
function seconds(name: string): HeaderField<number> {
  return field(name, "one", (scanner) => deltaSeconds(scanner), String);
}

function deltaSeconds(scanner: Scanner): number {
  return Math.min(scanner.number(Number.POSITIVE_INFINITY), MAX_UINT32);
}

/** RFC 4028 4, 5. */
function timer(name: string): HeaderField<SessionInterval> {
  return field(
    name,
    "one",
    (scanner) => ({ seconds: deltaSeconds(scanner), params: scanner.params() }),
    ({ seconds: value, params }) => `${value}${writeParams(params)}`,
  );
}

function tokens(name: string, mayBeEmpty = false): HeaderField<string> {
  return field(name, "list", (scanner) => scanner.token("a token"), String, mayBeEmpty);
}

function readWord(scanner: Scanner): Parameterised {
  return { value: scanner.token("a token"), params: scanner.params() };
}

function readMedia(scanner: Scanner): Parameterised {
  const type = scanner.token("a media type");
  scanner.need("/");
  const value = `${type}/${scanner.token("a media subtype")}`.toLowerCase();
  return { value, params: scanner.params() };
}

const writeWord = (word: Parameterised) => word.value + writeParams(word.params);

/** 8.1.1.5: the sequence number is less than 2^31. */
const MAX_SEQUENCE = 0x7fff_ffff;
export const CSEQ = field<CSeq>(
  "CSeq",
  "one",
  (scanner) => {
    const number = scanner.number(MAX_SEQUENCE);
    scanner.expect(/[ \t]+/y, "a blank");
    return { number, method: scanner.token("a method") };
  },
  ({ number, method }) => `${number} ${method}`,
);

const WORD = "[-A-Za-z0-9.!%*_+`'~()<>:\\\\\"/[\\]?{}]+";
const CALL_ID_HERE = new RegExp(`${WORD}(?:@${WORD})?`, "y");
export const CALL_ID = field("Call-ID", "one", (scanner) => scanner.expect(CALL_ID_HERE, "words"), String);

export const MAX_FORWARDS = count("Max-Forwards", 255);
export const CONTENT_LENGTH = count("Content-Length", Number.MAX_SAFE_INTEGER);
export const EXPIRES = seconds("Expires");
export const MIN_EXPIRES = seconds("Min-Expires");
export const SESSION_EXPIRES = timer("Session-Expires");
export const MIN_SE = timer("Min-SE");

export const CONTENT_TYPE = field("Content-Type", "one", readMedia, writeWord);
export const ACCEPT = field("Accept", "list", readMedia, writeWord, true);
export const EVENT = field("Event", "one", readWord, writeWord);
export const SUBSCRIPTION_STATE = field("Subscription-State", "one", readWord, writeWord);
export const CONTENT_DISPOSITION = field("Content-Disposition", "one", readWord, writeWord);

export const ALLOW = tokens("Allow", true);
export const ALLOW_EVENTS = tokens("Allow-Events");
export const CONTENT_ENCODING = tokens("Content-Encoding");
export const PROXY_REQUIRE = tokens("Proxy-Require");
export const REQUIRE = tokens("Require");
export const SUPPORTED = tokens("Supported", true);
export const UNSUPPORTED = tokens("Unsupported");
export const SIP_ETAG = field("SIP-ETag", "one", (scanner) => scanner.token("an entity-tag"), String);
/** RFC 3903 11.3.2. */
export const SIP_IF_MATCH = field("SIP-If-Match", "one", (scanner) => scanner.token("an entity-tag"), String);
/** RFC 5839 4.4: an entity-tag or "*". */
export const SUPPRESS_IF_MATCH = field(
  "Suppress-If-Match",
  "one",
  (scanner) => scanner.token("an entity-tag"),
  String,
);

const AGENT_HERE = new RegExp(`(?:${HOST}(?::[0-9]{1,5})?(?=[ \\t])|${TOKEN})`, "y");
export const WARNING = field<Warning>(
  "Warning",
  "list",
  (scanner) => {
    const code = Number(scanner.expect(/[0-9]{3}(?=[ \t])/y, "three digits"));
    scanner.blanks();
    const agent = scanner.expect(AGENT_HERE, "an agent");
    scanner.expect(/[ \t]+/y, "a blank");
    return { code, agent, text: unquote(scanner.quoted() ?? scanner.fail("expected a quoted text")) };
  },
  ({ code, agent, text }) => `${code} ${agent} ${quote(text)}`,
);

export const RETRY_AFTER = field<RetryAfter>(
  "Retry-After",
  "one",
  (scanner) => {
    const value = deltaSeconds(scanner);
    scanner.blanks();
    const comment = scanner.match(/\((?:[^()\\]|\\.)*\)/y);
    return { seconds: value, ...(comment === undefined ? {} : { comment }), params: scanner.params() };
  },
  (value) => `${value.seconds}${value.comment ? ` ${value.comment}` : ""}${writeParams(value.params)}`,
);

const DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun";
const MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec";
const DATE_HERE = new RegExp(
  `(?:${DAYS}), [0-9]{2} (?:${MONTHS}) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT`,
  "y",
);
/** 20.17: the date of RFC 1123, in GMT only. */
export const DATE = field<Date>(
  "Date",
  "one",
  (scanner) => {
    const date = new Date(scanner.expect(DATE_HERE, "a date in GMT"));
    return Number.isNaN(date.getTime()) ? scanner.fail("no such date") : date;
  },
  (date) => date.toUTCString(),
);
