/** The client under test: what it asked of KMS and GMS, and what it says to messages that are brought to it. */
import type { Clock } from "../../../base/clock.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { RandomSource } from "../../../base/random.ts";
import type { Core } from "../../../bindings/core/core.ts";
import { computeGukId } from "../../../bindings/identity/guk-id.ts";
import { keyKind } from "../../../bindings/identity/purpose-tag.ts";
import {
  DeliveredKey,
  groupIds,
  type Initiator,
  type SealPlan,
  type SealRequest,
  sealMessage,
} from "../../../bindings/index.ts";
import type { GroupMediaKeys } from "../../../bindings/media/index.ts";
import type { TransportKeys } from "../../../roles/identity/index.ts";
import { withoutQuery } from "../../../roles/server/without-query.ts";
import type { DatagramPort } from "../../../transport/datagram/ports.ts";
import { CONTENT_TYPE, type NotifyResult, type SipEndpoint } from "../../../transport/sip/index.ts";
import { atSameHost } from "../at-same-host.ts";
import { fail, inconclusive, known, must } from "../case.ts";
import { type Edit, signedAgain } from "../forge.ts";
import { quote, Transcript } from "../transcript.ts";
import { CheckGms, digestOf, type SubscribeSeen, type XcapSeen } from "./gms.ts";
import type { HttpAnswer, HttpRequest } from "./http.ts";
import { CheckKms, isKmsPath, type KmsRequestSeen } from "./kms.ts";
import { CheckMcx } from "./mcx.ts";

export interface ClientCheckOptions {
  readonly userUri: string;
  readonly group: string;
  readonly gmsUri: string;
  readonly kmsUri: string;
  /** The origin at which the client reaches KMS and XCAP server: scheme, host and port. */
  readonly origin: string;
  /** The token that the client was given for both; any when absent. */
  readonly token?: string;
  /** TrK and InK that the client was given. */
  readonly protection: TransportKeys;
  /** Started by the caller, and closed by it; absent: keys are told of over HTTP only. */
  readonly endpoint?: SipEndpoint;
  /** The MCX server that the client is to join a call at; absent: keys are all that is checked. Needs an endpoint. */
  readonly mcx?: {
    readonly uri: string;
    /** A socket for media or floor control. */
    readonly openPort: () => Promise<DatagramPort>;
  };
  /** Seconds of a subscription. */
  readonly expires: number;
  /** Milliseconds until the client has begun. */
  readonly startMs: number;
  /** Milliseconds for what a client does by itself: to subscribe again, or to look for what it was told of. */
  readonly stepMs: number;
  readonly core: Core;
  readonly random: RandomSource;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Times the waits. */
  readonly clock: Clock;
}

/** A GMK as the GMS knows it. */
export type Gmk = Pick<SealPlan, "key" | "keyId" | "rand">;

export interface Sealed {
  readonly octets: Uint8Array;
  readonly gmk: Gmk;
}

export interface SealChanges extends Partial<Omit<SealRequest, "parameters">> {
  readonly to?: string;
  readonly parameters?: SealRequest["parameters"] | null;
  readonly initiator?: Initiator;
  /** The time of T, in milliseconds since the Unix epoch; now when absent. */
  readonly at?: number;
}

/** The client's verdict on a message. */
export interface Said {
  /** silent: it had the message, and whether it took it cannot be seen. */
  readonly outcome: "taken" | "refused" | "failed" | "silent";
  readonly text: string;
}

export const DAY_MS = 24 * 3600 * 1000;
/** So long ago that the keys of that time are over, however periods overlap. */
export const LONG_AGO_MS = 75 * DAY_MS;
/**
 * The statuses of a client that closed without a word. They end its subscription, and are no answer to the message
 * (RFC 6665 4.2.2).
 */
const LOST = new Set([408, 481, 503]);

export class ClientPeer {
  readonly transcript = new Transcript();
  readonly options: ClientCheckOptions;
  readonly kms: CheckKms;
  readonly gms: CheckGms;
  readonly mcx: CheckMcx | undefined;
  readonly initiator: Initiator;
  /** An identity of the same KMS that is not the client's GMS. */
  readonly stranger: Initiator;
  /** The way in which the client comes for keys, once it has. */
  way: "sip" | "http" | undefined;
  /** The key that the client has taken last. */
  taken: Sealed | undefined;
  /** The one that it had before, and the one that was revoked. */
  replaced: Sealed | undefined;
  revoked: Sealed | undefined;
  /** The client sends a Floor Release again that nobody answers. */
  repeatsRelease = false;
  /** It does not when it hears others. */
  showsHearing = false;
  readonly #plans: Gmk[] = [];
  readonly #signers: Initiator[] = [];
  /** The GMKs as another member has them. */
  readonly #ofMember: DeliveredKey[] = [];

  constructor(options: ClientCheckOptions) {
    this.options = options;
    const { gmsUri, origin, mcx, endpoint } = options;
    this.kms = new CheckKms(options);
    this.gms = new CheckGms({ ...options, xcapRoot: `${origin}/xcap` });
    this.mcx =
      mcx &&
      endpoint &&
      new CheckMcx({
        ...options,
        ...mcx,
        mcxUri: mcx.uri,
        endpoint,
        receiver: this.kms.receiver(mcx.uri),
        groupKeys: this.groupKeys,
      });
    this.initiator = this.signer();
    this.stranger = this.signer(atSameHost(gmsUri, "check-stranger"));
  }

  /** One that signs at other times than now: the times of an initiator never go back. */
  signer(uri = this.options.gmsUri): Initiator {
    const times = [-LONG_AGO_MS, -DAY_MS, 0, DAY_MS].map((from) => this.now + from);
    const signer = this.kms.initiator(uri, times);
    this.#signers.push(signer);
    return signer;
  }

  /** The keys of the group as another member has them. */
  get groupKeys(): GroupMediaKeys {
    const find = (keyId: number | undefined) => this.#ofMember.find((key) => key.keyId === keyId);
    return { sending: () => find(this.taken?.gmk.keyId), receiving: find };
  }

  get reached(): boolean {
    return this.kms.seen.all.length + this.gms.subscribes.all.length + this.gms.requests.all.length > 0;
  }

  get now(): number {
    return this.options.now();
  }

  http(request: HttpRequest): HttpAnswer | Promise<HttpAnswer> {
    return isKmsPath(request.path) ? this.kms.answer(request) : this.gms.xcap(request);
  }

  /** Requests to the KMS. The transcript shows them as they came. */
  async provisioned(): Promise<readonly KmsRequestSeen[]> {
    const { clock, startMs } = this.options;
    const isKeyprov = ({ target }: KmsRequestSeen) => target?.type === "keyprov";
    const first = await this.kms.seen.find(clock, startMs, isKeyprov);
    for (const seen of this.kms.seen.all) this.#show(seen);
    if (!this.reached) {
      throw new MikeySakkeError("transport", "SERVER_TIMEOUT", `no request came within ${startMs / 1000} s`);
    }
    if (first === undefined) fail("no request for keys came");
    return this.kms.seen.all;
  }

  async began(): Promise<"sip" | "http"> {
    const { clock, startMs } = this.options;
    const subscribed = this.gms.subscribes.find(clock, startMs).then((seen) => seen && ("sip" as const));
    const fetched = this.gms.requests.find(clock, startMs).then((seen) => seen && ("http" as const));
    const way = await Promise.race([subscribed, fetched]);
    if (way === undefined) fail("neither a SUBSCRIBE nor a request over XCAP came");
    // A client may do both, and then it is the NOTIFY that it answers.
    const grace = way === "http" && this.options.endpoint !== undefined ? this.options.stepMs : 0;
    this.way = (await this.gms.subscribes.find(clock, grace)) === undefined ? way : "sip";
    const seen = this.gms.subscribes.all[0];
    if (seen !== undefined) this.showSubscribe(seen);
    return this.way;
  }

  get firstSubscribe(): SubscribeSeen {
    return known(this.gms.subscribes.all[0], "MCC-020");
  }

  showSubscribe({ request }: Pick<SubscribeSeen, "request">): void {
    const [type] = request.headers.texts(CONTENT_TYPE.name);
    this.transcript.received(`SUBSCRIBE ${request.uri}, ${type ?? "no body"}, ${request.body.length} octets`);
  }

  /** A message of the GMS to the user, for the group. */
  async seal(changes: SealChanges = {}): Promise<Sealed> {
    const { userUri, group, random } = this.options;
    const { to = userUri, parameters = {}, initiator = this.initiator, at = this.now, ...rest } = changes;
    const named = parameters && { parameters: { groups: groupIds([group]), ...parameters } };
    const request: SealRequest = { kind: "GMK", members: [{ uri: to }], ...named, ...rest };
    const { plan, messages } = await sealMessage(
      request,
      { initiator, domains: [this.kms.domain], random },
      at,
    );
    const { key, keyId, rand } = plan;
    const gmk = { key, keyId, rand };
    this.#plans.push(gmk);
    this.#share(gmk);
    return { octets: messages[0]!.octets, gmk };
  }

  /** Gives a GMK to another member as well. */
  #share({ key, keyId, rand }: Gmk): void {
    if (keyKind(keyId) !== "GMK") return;
    const ukId = computeGukId(key, keyId, atSameHost(this.options.userUri, "check-member"));
    this.#ofMember.push(new DeliveredKey(key.slice(), { kind: "GMK", keyId, ukId, rand }));
  }

  resign(octets: Uint8Array, edit: Edit, initiator = this.initiator): Uint8Array {
    return signedAgain(octets, edit, { initiator, at: this.now, random: this.options.random });
  }

  /** Brings a message the way that the client came, and says what it makes of it. */
  async bring(message: Uint8Array, about: string): Promise<Said> {
    const way = known(this.way, "MCC-020");
    return way === "sip" ? this.#notify(message, about) : this.#lay(message, about);
  }

  async requireTaken(message: Uint8Array, about: string): Promise<void> {
    const { outcome, text } = await this.bring(message, about);
    if (outcome === "silent") inconclusive(text);
    must(outcome === "taken", text);
    this.gms.message = message;
  }

  async requireRefused(message: Uint8Array, about: string): Promise<void> {
    const { outcome, text } = await this.bring(message, about);
    if (outcome === "silent") inconclusive(text);
    if (outcome === "failed") fail(`${text}: the client failed, and did not refuse`);
    must(outcome === "refused", `${text}: taken, and not refused`);
  }

  /** Waits for something that the client does by itself. */
  async next<T>(
    arrivals: {
      find: (clock: Clock, ms: number, fits?: (item: T) => boolean, from?: number) => Promise<T | undefined>;
    },
    from: number,
    fits?: (item: T) => boolean,
    milliseconds = this.options.stepMs,
  ): Promise<T | undefined> {
    return arrivals.find(this.options.clock, milliseconds, fits, from);
  }

  /** Wipes the keys. The sockets of a call are closed by then. */
  async destroy(): Promise<void> {
    await this.mcx?.close();
    for (const { key } of this.#plans) key.fill(0);
    for (const signer of this.#signers) signer.destroy();
    for (const key of this.#ofMember) key.destroy();
    this.kms.destroy();
  }

  async #notify(message: Uint8Array, about: string): Promise<Said> {
    if (this.gms.subscription === undefined) inconclusive("the client is not subscribed any more");
    const [reports, requests] = [this.gms.reports.all.length, this.gms.requests.all.length];
    const tags = this.gms.telling === "tags";
    if (tags) this.gms.message = message;
    const exchange = this.transcript.sent(`NOTIFY with ${about}${tags ? ", to be fetched" : ""}`);
    const result = await this.gms.notify(message);
    exchange.received = textOf(result);
    if (LOST.has(result.status)) inconclusive(`no answer to the NOTIFY: ${result.status}`);
    if (tags && result.status < 300) return this.#reported(message, reports, requests);
    return saidBy(result.status, textOf(result));
  }

  async #lay(message: Uint8Array, about: string): Promise<Said> {
    const [reports, requests] = [this.gms.reports.all.length, this.gms.requests.all.length];
    this.gms.message = message;
    this.transcript.sent(`a GKTP document with ${about}`).received = "awaited";
    return this.#reported(message, reports, requests);
  }

  /** 5.7.2.y leaves open how a client tells of errors: without a report there is nothing to see. */
  async #reported(message: Uint8Array, reports: number, requests: number): Promise<Said> {
    const isFetch = ({ method }: XcapSeen) => method === "GET";
    if ((await this.next(this.gms.requests, requests, isFetch)) === undefined)
      fail("the document was not fetched");
    const digest = digestOf(message);
    const report = await this.next(this.gms.reports, reports, ({ sha256 }) => sha256 === digest);
    if (report === undefined) return { outcome: "silent", text: "fetched, and nothing was reported" };
    const text = `reported as ${report.result}${report.warning === undefined ? "" : `: ${report.warning}`}`;
    this.transcript.received(text);
    return { outcome: report.result === "stored" ? "taken" : "refused", text };
  }

  #show({ method, path, body, error }: KmsRequestSeen): void {
    const text = new TextDecoder().decode(body);
    this.transcript.received(
      `${method} ${withoutQuery(path)}${error ? ` (${error.code})` : ""}\n${quote(text)}`,
    );
  }
}

function saidBy(status: number, text: string): Said {
  if (status < 300) return { outcome: "taken", text };
  return { outcome: status >= 500 && status < 600 ? "failed" : "refused", text };
}

function textOf({ status, reason, warnings }: NotifyResult): string {
  const [warning] = warnings;
  return `${status} ${reason}${warning === undefined ? "" : `, Warning: ${warning.code} ${warning.text}`}`;
}
