/** SIP messages (RFC 3261 7). Bodies are octets: a MIKEY message is no text. */
import { utf8 } from "../../../base/bytes.ts";
import { FROM, TO, VIA } from "./addresses.ts";
import { Headers } from "./headers.ts";
import { CALL_ID, CSEQ } from "./scalars.ts";

export interface SipRequest {
  readonly kind: "request";
  readonly method: string;
  readonly uri: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export interface SipResponse {
  readonly kind: "response";
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export type SipMessage = SipRequest | SipResponse;

export const NO_BODY = new Uint8Array(0);

export function createRequest(method: string, uri: string, body: Uint8Array = NO_BODY): SipRequest {
  return { kind: "request", method, uri, headers: new Headers(), body };
}

/** RFC 3261 8.2.6.2: the response has the request's From, Call-ID, CSeq, Via and To, with a tag added. */
export function createResponse(
  request: SipRequest,
  status: number,
  reason = reasonOf(status),
  toTag?: string,
): SipResponse {
  const headers = new Headers();
  headers.copy(VIA, request.headers).copy(FROM, request.headers);
  const to = request.headers.get(TO);
  if (to !== undefined && toTag !== undefined && !to.params.has("tag")) {
    headers.set(TO, { ...to, params: new Map([...to.params, ["tag", toTag]]) });
  } else {
    headers.copy(TO, request.headers);
  }
  headers.copy(CALL_ID, request.headers).copy(CSEQ, request.headers);
  return { kind: "response", status, reason, headers, body: NO_BODY };
}

/** The octets of a message. Content-Length is that of the body, whatever the fields say. */
export function writeMessage(message: SipMessage): Uint8Array {
  let head =
    message.kind === "request"
      ? `${message.method} ${message.uri} SIP/2.0\r\n`
      : `SIP/2.0 ${message.status} ${message.reason}\r\n`;
  for (const [name, text] of message.headers) {
    if (name !== "Content-Length") head += `${name}: ${text}\r\n`;
  }
  const start = utf8(`${head}Content-Length: ${message.body.length}\r\n\r\n`);
  if (message.body.length === 0) return start;
  const out = new Uint8Array(start.length + message.body.length);
  out.set(start);
  out.set(message.body, start.length);
  return out;
}

const REASONS: Readonly<Record<number, string>> = {
  100: "Trying",
  180: "Ringing",
  181: "Call Is Being Forwarded",
  182: "Queued",
  183: "Session Progress",
  200: "OK",
  202: "Accepted",
  204: "No Notification",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  412: "Conditional Request Failed",
  413: "Request Entity Too Large",
  415: "Unsupported Media Type",
  416: "Unsupported URI Scheme",
  420: "Bad Extension",
  423: "Interval Too Brief",
  480: "Temporarily Unavailable",
  481: "Call/Transaction Does Not Exist",
  482: "Loop Detected",
  483: "Too Many Hops",
  486: "Busy Here",
  487: "Request Terminated",
  488: "Not Acceptable Here",
  489: "Bad Event",
  491: "Request Pending",
  500: "Server Internal Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "Version Not Supported",
  513: "Message Too Large",
  603: "Decline",
};

export function reasonOf(status: number): string {
  return REASONS[status] ?? "";
}
