/** The GMS under test: what is known of it, and requests to it over HTTP and SIP with one thing changed. */
import { utf8 } from "../../../base/bytes.ts";
import { withTimeout } from "../../../base/deadline.ts";
import type { ParsedMessage } from "../../../bindings/mikey/index.ts";
import {
  gktpUserCollection,
  groupCollection,
  groupDocumentPath,
  MEDIA,
  writeMcpttInfo,
  writeMultipart,
  writeResourceLists,
} from "../../../documents/group-xml/index.ts";
import { ACCEPTED } from "../../../roles/group-keys/notify-content.ts";
import { MCPTT_SERVICE } from "../../../roles/identity/ims.ts";
import type { ClientKeys } from "../../../roles/identity/index.ts";
import {
  AUTHORIZATION,
  CONTENT_TYPE,
  type Notify,
  type SipEndpoint,
  type Subscription,
  type SubscriptionEnd,
} from "../../../transport/sip/index.ts";
import { fail, inconclusive, must, notApplicable } from "../case.ts";
import { type CheckFetch, HttpClient, type Reply } from "../http.ts";
import type { CheckTokens } from "../tokens.ts";
import { Transcript } from "../transcript.ts";

export interface GmsCheckOptions {
  readonly gmsUri: string;
  readonly userUri: string;
  /** Another user, whose keys must not come. */
  readonly otherUserUri: string;
  /** A group that the user is a member of. */
  readonly group?: string;
  readonly tokens: CheckTokens;
  /** Keys of the user, from the KMS. */
  readonly keys: Pick<ClientKeys, "homeKms" | "receiver">;
  /** Absent: the GMS is not asked over HTTP. */
  readonly xcapRoot?: string;
  readonly fetch: CheckFetch;
  /** Absent: the GMS is not asked over SIP. */
  readonly sip?: { readonly endpoint: Pick<SipEndpoint, "subscribe">; readonly uri: string };
  readonly now: () => number;
}

export interface Subscribe {
  /** null: none. */
  readonly token?: string | null;
  readonly resources?: readonly string[];
  readonly body?: { readonly contentType: string; readonly body: Uint8Array };
  readonly event?: string;
  readonly accept?: readonly string[];
}

/** The outcome of a SUBSCRIBE, up to the first NOTIFY. */
export interface Attempt {
  readonly notify: Notify | undefined;
  readonly end: SubscriptionEnd | undefined;
  readonly subscription: Subscription;
  /** The next NOTIFY, or nothing when none comes in time. */
  next(): Promise<Notify | undefined>;
  /** Ends it, and returns the last NOTIFY. */
  leave(): Promise<Notify | undefined>;
}

/** A message with a key, and where it was. */
export interface Message {
  readonly from: "http" | "sip";
  readonly octets: Uint8Array;
  parsed?: ParsedMessage;
}

/** Timer N of RFC 6665 is 32 s; a server of a plugtest is quicker. */
const NOTIFY_MS = 20_000;
const EXPIRES = 600;

export class GmsPeer {
  readonly transcript = new Transcript();
  readonly options: GmsCheckOptions;
  readonly http: HttpClient;
  /** Filled in by the cases that find them out. */
  gktpPath: string | undefined;
  etag: string | undefined;
  live: Attempt | undefined;
  messages: Message[] = [];
  #heard = false;

  constructor(options: GmsCheckOptions) {
    this.options = options;
    this.http = new HttpClient(options.fetch, this.transcript);
  }

  get reached(): boolean {
    return this.#heard || this.http.reached;
  }

  get now(): number {
    return this.options.now();
  }

  async xcap(
    path: string,
    options: {
      readonly method?: string;
      readonly token?: string | null;
      readonly headers?: Record<string, string>;
      readonly body?: string;
      readonly about?: string;
    } = {},
  ): Promise<Reply> {
    const root = this.options.xcapRoot ?? notApplicable("no --xcap-root was given");
    const { method = "GET", token = await this.options.tokens.valid(), ...rest } = options;
    return this.http.askHostile({ method, url: `${root.replace(/\/$/, "")}/${path}`, token, ...rest });
  }

  /** A refusal, and no failure of the server (RFC 4825 11, RFC 6750 3.1). */
  requireRefused({ status }: Reply): void {
    if (status === 0) return;
    must(status >= 400, `answered with ${status}, and not refused`);
    must(status < 500, `status ${status}: the GMS failed, and did not refuse`);
  }

  async subscribe(options: Subscribe = {}): Promise<Attempt> {
    const { sip, userUri, group } = this.options;
    const { endpoint, uri } = sip ?? notApplicable("no --sip was given");
    const token = options.token === undefined ? await this.options.tokens.valid() : options.token;
    const groups = group === undefined ? groupCollection() : groupDocumentPath(group);
    const resources = options.resources ?? [gktpUserCollection(userUri), groups];
    const event = options.event ?? "xcap-diff";
    const list = { contentType: MEDIA.resourceLists, body: utf8(writeResourceLists(resources)) };
    const info = { contentType: MEDIA.mcpttInfo, body: utf8(writeMcpttInfo({ accessToken: token ?? "" })) };
    const body = options.body ?? writeMultipart(token === null ? [list] : [list, info]);
    const about = options.body === undefined ? resources.join(", ") : options.body.contentType;
    const sent = this.transcript.sent(
      `SUBSCRIBE ${uri}, Event: ${event}, ${token === null ? "without a token, " : ""}${about}`,
    );
    const queue: Notify[] = [];
    let wake = () => {};
    let end: SubscriptionEnd | undefined;
    const subscription = endpoint.subscribe({
      uri,
      from: userUri,
      event: { value: event, params: new Map([["diff-processing", "aggregate"]]) },
      accept: options.accept ?? ACCEPTED,
      expires: EXPIRES,
      ...body,
      headers(headers) {
        headers.append("P-Preferred-Service", MCPTT_SERVICE);
        if (token !== null) headers.set(AUTHORIZATION, { scheme: "Bearer", token, params: new Map() });
      },
      onNotify: (notify) => {
        this.#heard = true;
        this.transcript.received(describe(notify));
        queue.push(notify);
        wake();
        return { status: 200 };
      },
      onEnd: (ended) => {
        end = ended;
        this.#heard ||= ended.status !== undefined;
        wake();
      },
    });
    const next = async (): Promise<Notify | undefined> => {
      try {
        await withTimeout(NOTIFY_MS, async () => {
          while (queue.length === 0 && end === undefined) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        });
      } catch {
        return undefined;
      }
      return queue.shift();
    };
    const first = await next();
    sent.received = first === undefined ? endText(end) : "2xx, and a NOTIFY";
    return {
      notify: first,
      subscription,
      next,
      get end() {
        return end;
      },
      async leave() {
        let last: Notify | undefined;
        subscription.unsubscribe();
        for (let notify = await next(); notify !== undefined; notify = await next()) last = notify;
        return last;
      },
    };
  }

  /** Refused with a status of 4xx or 6xx; a NOTIFY or a failure of the server is none. */
  async requireSubscribeRefused(options: Subscribe): Promise<number> {
    const attempt = await this.subscribe(options);
    const { end } = attempt;
    if (attempt.notify !== undefined) {
      await attempt.leave();
      fail("accepted, with a NOTIFY");
    }
    if (end?.cause === "no-notify" || end === undefined) fail("answered with 2xx, and not refused");
    const { status } = end;
    if (status === undefined) inconclusive(`no answer: ${end.cause}`);
    must(status < 500 || status >= 600, `status ${status}: the GMS failed, and did not refuse`);
    return status;
  }

  async close(): Promise<void> {
    const { live } = this;
    this.live = undefined;
    if (live !== undefined && live.end === undefined) await live.leave();
  }
}

function describe({ request, state, body }: Notify): string {
  const type = request.headers.texts(CONTENT_TYPE.name)[0] ?? "no body";
  return `NOTIFY, Subscription-State: ${state}, ${type}, ${body.length} octets`;
}

function endText(end: SubscriptionEnd | undefined): string {
  if (end === undefined) return "no NOTIFY in time";
  return end.status === undefined ? end.cause : String(end.status);
}
