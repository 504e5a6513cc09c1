/** One XCAP request on its way: what came in, who asks, and what the steps work with. */

import type { XcapPath } from "../../../documents/group-xml/index.ts";
import type { GmsAuditEntry } from "../../../store/gms/records.ts";
import type { GmsContext } from "../common/ports.ts";
import type { Conditions } from "./conditions.ts";

export interface XcapRequest {
  readonly method: string;
  /** Path and query as received, not decoded. */
  readonly path: string;
  /** The headers of these names. */
  readonly authorization?: string | undefined;
  readonly contentType?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  /** Empty when there is none. */
  readonly body: Uint8Array;
  readonly requestId: string;
  /** Address of the client, for the log. */
  readonly remote: string;
  /** Scheme and host as the client wrote them. */
  readonly origin: string;
}

export interface XcapResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The parts of the GMS's context that requests are answered with. */
export type XcapContext = Pick<
  GmsContext,
  "config" | "store" | "admin" | "now" | "log" | "metrics" | "tracing"
>;

/** A request of which path, token and conditions have been read. */
export interface Exchange<P extends XcapPath = XcapPath> {
  readonly request: XcapRequest;
  /** When it came in. */
  readonly now: number;
  readonly path: P;
  /** MC service user IDs that the token proves; at least one. */
  readonly identities: readonly string[];
  readonly conditions: Conditions;
}

/** The words for an exchange in the audit log, besides who and what. */
export type AuditFacts = Pick<GmsAuditEntry, "action" | "groupUri" | "detail">;

/** The facts known of a request by now, in case that the rest fails. */
export interface Known {
  /** The type of document, for the counters. */
  type: string;
  groupUri?: string;
  /** The first identity of the token. */
  who?: string;
}
