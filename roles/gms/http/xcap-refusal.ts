/** The refusals of the XCAP server, and the answers that say so (RFC 4825 11, TS 24.482 A.2.3, RFC 6750 3.1). */
import { defined } from "../../../base/defined.ts";
import { type ErrorCode, MikeySakkeError } from "../../../base/errors.ts";
import { writeXcapError, type XcapError } from "../../../documents/group-xml/index.ts";
import { MEDIA } from "../../../documents/group-xml/names.ts";
import { httpChallenge } from "../../server/bearer-challenge.ts";
import { TokenRefusal } from "../../server/token-refusal.ts";

/** Status and what is said: nothing that whoever asked does not know. */
const REFUSALS = {
  BAD_REQUEST: [400, "the HTTP request is malformed"],
  BAD_PATH: [400, "the path is malformed"],
  TOKEN_INVALID: [401, "the access token is not accepted"],
  TOKEN_EXPIRED: [401, "the access token has expired"],
  TOKEN_MISSING: [403, "an access token is required"],
  WRONG_SCOPE: [403, "the access token has no scope for group management"],
  WRONG_IDENTITY: [403, "the access token does not prove this identity"],
  NOT_A_MANAGER: [403, "the group is managed by others"],
  NOT_FOUND: [404, "no such document"],
  METHOD: [405, "the resource does not have this method"],
  CONFLICT: [409, "the document conflicts with what is there"],
  PRECONDITION: [412, "the document is another by now"],
  TOO_LARGE: [413, "the request is too large"],
  BODY_TYPE: [415, "the type of the body is not that of the resource"],
  ENCODING: [415, "compressed requests are not accepted"],
  INTERNAL: [500, "the GMS failed"],
  TOKENS_UNAVAILABLE: [503, "access tokens cannot be checked at present"],
  BUSY: [503, "the GMS is busy"],
} as const satisfies Record<string, readonly [number, string]>;

export type XcapRefusalCode = keyof typeof REFUSALS;

/** Seconds after which a request that met a 503 may be made again. */
const RETRY_SECONDS = 5;

export interface XcapRefusalOptions {
  /** For the log and the audit log, never for the answer. */
  readonly detail?: string;
  readonly cause?: unknown;
  /** Methods of the resource, of METHOD. */
  readonly allow?: string;
  /** Error document of a CONFLICT. */
  readonly conflict?: XcapError;
}

export interface RefusalAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export class XcapRefusal extends MikeySakkeError {
  declare readonly code: XcapRefusalCode;
  readonly status: number;
  readonly detail: string | undefined;
  readonly #options: XcapRefusalOptions;

  constructor(code: XcapRefusalCode, options: XcapRefusalOptions = {}) {
    const [status, text] = REFUSALS[code];
    const detail = options.detail ?? options.conflict?.phrase;
    super("transport", code, detail === undefined ? text : `${text}: ${detail}`, { cause: options.cause });
    this.status = status;
    this.detail = detail;
    this.#options = options;
  }

  answer(): RefusalAnswer {
    const { allow, conflict } = this.#options;
    const headers = { "cache-control": "no-store", ...httpChallenge(this.code), ...defined({ allow }) };
    const retry = this.status === 503 ? { "retry-after": String(RETRY_SECONDS) } : {};
    if (conflict !== undefined) {
      const body = writeXcapError(conflict);
      return { status: this.status, headers: { ...headers, "content-type": MEDIA.xcapError }, body };
    }
    return {
      status: this.status,
      headers: { ...headers, ...retry, "content-type": "text/plain; charset=utf-8" },
      body: `${REFUSALS[this.code][1]}\n`,
    };
  }
}

/** A conflict, with its condition and a phrase for people. */
export function conflict(
  condition: XcapError["condition"],
  phrase: string,
  more: Pick<XcapError, "exists"> & { cause?: unknown } = {},
): XcapRefusal {
  const { cause, ...details } = more;
  return new XcapRefusal("CONFLICT", { conflict: { condition, phrase, ...details }, cause });
}

/** Errors of the operations that are the fault of the document that was put. */
const CONFLICTS: Partial<Readonly<Record<ErrorCode, XcapError["condition"]>>> = {
  GROUP_EXISTS: "uniqueness-failure",
  MEMBER_EXISTS: "uniqueness-failure",
  BAD_GROUP: "constraint-failure",
  BAD_MEMBER: "constraint-failure",
};

/** Any error as a refusal. */
export function refusalOf(error: unknown): XcapRefusal {
  if (error instanceof XcapRefusal) return error;
  if (error instanceof TokenRefusal) {
    return new XcapRefusal(error.code, {
      ...defined({ detail: error.detail }),
      cause: error,
    });
  }
  if (!(error instanceof MikeySakkeError)) {
    const detail = error instanceof Error ? error.name : typeof error;
    return new XcapRefusal("INTERNAL", { detail, cause: error });
  }
  const { code, message } = error;
  const condition = CONFLICTS[code];
  if (condition !== undefined) return conflict(condition, message, { cause: error });
  if (code === "GROUP_UNKNOWN") return new XcapRefusal("NOT_FOUND", { detail: message, cause: error });
  if (code === "FORBIDDEN") return new XcapRefusal("NOT_A_MANAGER", { detail: message, cause: error });
  if (code === "GROUP_CHANGED") return new XcapRefusal("PRECONDITION", { detail: message, cause: error });
  return new XcapRefusal("INTERNAL", { detail: `${code}: ${message}`, cause: error });
}

/** An error of reading the document in a body (RFC 4825 11.1). */
export function documentRefusal(error: unknown): unknown {
  if (!(error instanceof MikeySakkeError) || error.kind !== "codec") return error;
  const { code, message } = error;
  if (code === "XML_TOO_LARGE") return new XcapRefusal("TOO_LARGE", { detail: message, cause: error });
  if (code === "BAD_UTF8" || code === "XML_ENCODING") return conflict("not-utf-8", message, { cause: error });
  if (code === "XML_NOT_WELL_FORMED" || code === "XML_DTD") {
    return conflict("not-well-formed", message, { cause: error });
  }
  if (code === "GROUP_XML_DUPLICATE") return conflict("uniqueness-failure", message, { cause: error });
  if (code === "GROUP_XML_LIMIT" || code === "XML_TOO_DEEP") {
    return conflict("constraint-failure", message, { cause: error });
  }
  return conflict("schema-validation-error", message, { cause: error });
}
