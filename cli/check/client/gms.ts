/**
 * The GMS that a client under test has: it takes subscriptions over SIP and requests over XCAP, and brings messages the way
 * that the client asked for (TS 33.180 5.7.2.x and 5.7.2.y, TS 24.481 6.3.13, RFC 5875).
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { toHex, utf8 } from "../../../base/bytes.ts";
import { type Clock, systemClock } from "../../../base/clock.ts";
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import {
  gktpGroupPath,
  gktpUserPath,
  groupDocumentPath,
  MEDIA,
  type ReportedMessage,
  readGktpReport,
  writeGktpDocument,
  writeGroupDocument,
  writeMultipart,
  writeXcapDiff,
  type XcapDiffDocument,
} from "../../../documents/group-xml/index.ts";
import { EMPTY_GKTP_ETAG, messageDigest } from "../../../roles/gms/common/etags.ts";
import {
  ACCEPT,
  type Answer,
  EVENT,
  type NotifierEnd,
  type NotifierSubscription,
  type NotifyResult,
  type SipEndpoint,
  type SipRequest,
  type StateContent,
} from "../../../transport/sip/index.ts";
import { Arrivals } from "./arrivals.ts";
import type { HttpAnswer, HttpRequest } from "./http.ts";

export interface CheckGmsOptions {
  readonly userUri: string;
  readonly group: string;
  /** Other groups than `group` are asked for in vain. */
  readonly xcapRoot: string;
  /** Seconds of a subscription, so short that a refresh is seen. */
  readonly expires: number;
  /** Absent: the client has to come over HTTP. */
  readonly endpoint?: SipEndpoint;
  readonly clock?: Clock;
}

/** A SUBSCRIBE, and the subscription that it made or refreshed. */
export interface SubscribeSeen {
  readonly request: SipRequest;
  readonly at: number;
  readonly subscription: NotifierSubscription;
  readonly isRefresh: boolean;
  /** When the subscription would have ended without it. */
  readonly due?: number;
}

/** A SUBSCRIBE that was refused on purpose. */
export type RefusedSeen = Pick<SubscribeSeen, "request" | "at" | "isRefresh">;

export interface XcapSeen {
  readonly method: string;
  readonly path: string;
  readonly at: number;
  readonly token: boolean;
}

/** The form in which a client wants to be told of keys. */
export type Telling = "patches" | "beside the diff" | "tags";

export class CheckGms {
  readonly subscribes = new Arrivals<SubscribeSeen>();
  readonly requests = new Arrivals<XcapSeen>();
  readonly reports = new Arrivals<ReportedMessage>();
  /** Answers to the NOTIFYs that followed a SUBSCRIBE. */
  readonly answers = new Arrivals<NotifyResult>();
  readonly ends = new Arrivals<NotifierEnd>();
  readonly refused = new Arrivals<RefusedSeen>();
  /** The answer to the next SUBSCRIBE, in place of one that accepts it. */
  refusal: Answer | undefined;
  subscription: NotifierSubscription | undefined;
  /** The message in the user's GKTP document; what follows a SUBSCRIBE brings it as well. */
  message: Uint8Array | undefined;
  readonly #options: CheckGmsOptions;
  readonly #clock: Clock;

  constructor(options: CheckGmsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { expires, endpoint } = options;
    endpoint?.notifier({
      package: "xcap-diff",
      minExpires: 1,
      defaultExpires: expires,
      maxExpires: expires,
      onSubscribe: (subscription, { request }) => {
        const isRefresh = subscription === this.subscription;
        const refuse = this.refusal;
        if (refuse !== undefined) {
          this.refusal = undefined;
          this.refused.add({ request, at: this.#clock.now(), isRefresh });
          return { refuse };
        }
        const due = isRefresh ? { due: subscription.expiresAt } : {};
        this.subscription = subscription;
        this.subscribes.add({ request, at: this.#clock.now(), subscription, isRefresh, ...due });
        return { state: "active" };
      },
      current: () => ({ ...this.#content(this.message), answered: (result) => this.answers.add(result) }),
      onEnd: (subscription, end) => {
        if (subscription === this.subscription) this.subscription = undefined;
        this.ends.add(end);
      },
    });
  }

  /** Follows from Accept and Event of the last SUBSCRIBE (RFC 5875 4.3, 4.4). */
  get telling(): Telling {
    const { request } = this.subscribes.last!;
    const mode = request.headers.get(EVENT)?.params.get("diff-processing") ?? "no-patching";
    const accepted = acceptedTypes(request);
    if (mode !== "no-patching") return "patches";
    return accepted.includes(MEDIA.mikey) && accepted.includes(MEDIA.multipartMixed)
      ? "beside the diff"
      : "tags";
  }

  notify(message: Uint8Array | undefined): Promise<NotifyResult> {
    return this.subscription!.notify(this.#content(message));
  }

  async xcap({ method, path, header, body }: HttpRequest): Promise<HttpAnswer> {
    const { xcapRoot, userUri, group } = this.#options;
    const resource = path.slice(new URL(xcapRoot).pathname.length).replace(/^\//, "");
    const token = header("authorization") !== undefined;
    this.requests.add({ method, path: resource, at: this.#clock.now(), token });
    if (resource === gktpUserPath(userUri) || resource === gktpGroupPath(group)) {
      if (method === "POST") return this.#report(body);
      const entry = this.message && [{ id: userUri, octets: this.message }];
      return xml(method, header, MEDIA.gktp, etagOf(this.message), writeGktpDocument(entry ?? []));
    }
    if (resource !== groupDocumentPath(group)) return { status: 404 };
    return xml(method, header, MEDIA.group, "1", groupDocument(group, userUri));
  }

  #report(body: Uint8Array): HttpAnswer {
    try {
      for (const message of readGktpReport(body)) this.reports.add(message);
      return { status: 204 };
    } catch (error) {
      if (!(error instanceof MikeySakkeError)) throw error;
      return { status: 409 };
    }
  }

  #content(message: Uint8Array | undefined): StateContent {
    const { xcapRoot, userUri, group } = this.#options;
    const telling = this.telling;
    const etag = etagOf(message);
    const keys: XcapDiffDocument = { sel: gktpUserPath(userUri), newEtag: etag };
    const patches = message && [{ add: { id: userUri, octets: message } }];
    const patched = { ...keys, previousEtag: EMPTY_GKTP_ETAG, ...defined({ patches }) };
    const documents = [
      telling === "patches" && patches !== undefined ? patched : keys,
      { sel: groupDocumentPath(group), newEtag: "1" },
    ];
    const body = utf8(writeXcapDiff({ xcapRoot, documents }));
    if (telling !== "beside the diff" || message === undefined) return { contentType: MEDIA.xcapDiff, body };
    return writeMultipart([
      { contentType: MEDIA.xcapDiff, body },
      { contentType: MEDIA.mikey, body: message },
    ]);
  }
}

export function digestOf(message: Uint8Array): string {
  return toHex(sha256(message));
}

export function acceptedTypes({ headers }: SipRequest): string[] {
  return headers.all(ACCEPT).map(({ value }) => value.toLowerCase());
}

function etagOf(message: Uint8Array | undefined): string {
  return message === undefined ? EMPTY_GKTP_ETAG : messageDigest(message);
}

function groupDocument(uri: string, member: string): string {
  return writeGroupDocument({
    uri,
    displayName: "mikey-sakke check client",
    members: [{ uri: member }],
    services: ["mcptt"],
    unprotected: [],
  });
}

function xml(
  method: string,
  header: HttpRequest["header"],
  type: string,
  etag: string,
  body: string,
): HttpAnswer {
  if (method !== "GET") return { status: 405, headers: { allow: "GET" } };
  const headers = { etag: `"${etag}"`, "cache-control": "private, no-cache" };
  if (header("if-none-match") === headers.etag) return { status: 304, headers };
  return { status: 200, headers: { ...headers, "content-type": type }, body };
}
