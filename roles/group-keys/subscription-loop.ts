/** One subscription to xcap-diff at a GMS, made again whenever it is lost (RFC 5875, RFC 6665 4.1, TS 24.481 6.3.13). */

import { utf8 } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";
import {
  MEDIA,
  writeMcpttInfo,
  writeMultipart,
  writeResourceLists,
} from "../../documents/group-xml/index.ts";
import {
  type Answer,
  AUTHORIZATION,
  type Clock,
  CONTACT,
  type Credentials,
  type Headers,
  type KeepAliveOptions,
  type Notify,
  RETRY_AFTER,
  type SipEndpoint,
  type SipResolver,
  type Subscription,
  type SubscriptionEnd,
} from "../../transport/sip/index.ts";
import { type ImsIdentity, MCPTT_SERVICE, prefer } from "../identity/ims.ts";
import type { Tell } from "./events.ts";
import { ACCEPTED } from "./notify-content.ts";
import { retryWait } from "./retry-wait.ts";
import { Silences } from "./silences.ts";
import { type SipServer, SipServers } from "./sip-servers.ts";

export interface SubscriptionLoopOptions {
  readonly endpoint: SipEndpoint;
  /** The URIs to which to subscribe: the PSI of the GMS, or those of several servers, the best first. */
  readonly sipUris: readonly string[];
  readonly resolver?: SipResolver;
  readonly keepAlive: KeepAliveOptions;
  readonly userUri: string;
  readonly ims?: ImsIdentity;
  readonly mode: "no-patching" | "aggregate";
  /** Entries of the resource list. */
  readonly resources: () => readonly string[];
  /** An access token. */
  readonly token: () => Promise<string>;
  /** For other challenges than that of the GMS. */
  readonly credentials?: Credentials;
  /** Seconds; the default of the package when absent. */
  readonly expires?: number;
  readonly clock: Clock;
  readonly now: () => number;
  readonly random: RandomSource;
  readonly tell: Tell;
  /** `isFirst`: of a subscription, so that it tells of everything. */
  readonly onNotify: (notify: Notify, isFirst: boolean) => Promise<Answer>;
  /** Whether keys come this way at present; told when that changes, and at the start. */
  readonly onReach: (isReached: boolean) => void;
}

/** Refusals that hold until something is changed at the GMS (RFC 3261 21.4, RFC 6665 8.2). */
const LASTING = new Set([400, 403, 404, 405, 406, 410, 413, 415, 416, 489, 501, 604]);

/** Answers that say something of the server, or of the way to it, where another one may say something else. */
const OF_SERVER = new Set([408, 430, 477, 480, 500, 502, 503, 504]);
const LEAVE_MS = 2000;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: MikeySakkeError) => void;
}

export class SubscriptionLoop {
  readonly #options: SubscriptionLoopOptions;
  readonly #servers: SipServers;
  #server: SipServer | undefined;
  #subscription: Subscription | undefined;
  /** An event of a subscription that was given up has an older number. */
  #generation = 0;
  #running = false;
  #token = "";
  #failures = 0;
  readonly #silences: Silences;
  #cancel: () => void = () => undefined;
  #waiters: Waiter[] = [];
  #stopped: (() => void) | undefined;

  constructor(options: SubscriptionLoopOptions) {
    this.#options = options;
    const { endpoint, sipUris, resolver, clock, random } = options;
    const { transports } = endpoint;
    this.#silences = new Silences(clock);
    this.#servers = new SipServers({
      uris: sipUris,
      transports,
      clock,
      random,
      ...defined({ resolver }),
    });
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#failures = 0;
    this.#options.onReach(false);
    void this.#subscribe();
  }

  /** Unsubscribes. Resolves when the GMS has confirmed, or after two seconds: it would notice by itself. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#cancel();
    this.#fail("the client was stopped");
    const subscription = this.#subscription;
    if (subscription === undefined) {
      this.#generation++;
      return;
    }
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(LEAVE_MS, resolve);
      this.#stopped = () => {
        cancel();
        resolve();
      };
      subscription.unsubscribe();
    });
  }

  /** Asks for the state now, on the subscription there is or with a new one. Resolves when its NOTIFY was answered. */
  refresh(): Promise<void> {
    if (!this.#running) return Promise.reject(lost("the client does not run"));
    const done = new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }));
    const subscription = this.#subscription;
    if (subscription !== undefined && subscription.state !== "init") void this.#renew(subscription);
    else if (subscription === undefined) this.#subscribeAfter(0);
    return done;
  }

  /** Gives up the subscription for a new one, which tells of everything. */
  anew(): void {
    const old = this.#subscription;
    if (!this.#running || old === undefined) return;
    this.#generation++;
    this.#subscription = undefined;
    old.unsubscribe();
    this.#failures++;
    this.#subscribeAfter(retryWait({ failures: this.#failures }, this.#options.random));
  }

  async #subscribe(): Promise<void> {
    const generation = ++this.#generation;
    const { endpoint, userUri, ims, mode, expires, credentials } = this.#options;
    try {
      this.#token = await this.#options.token();
    } catch (error) {
      if (generation === this.#generation && this.#running) this.#tokenFailed(error);
      return;
    }
    const server = await this.#servers.next();
    if (generation !== this.#generation || !this.#running) return;
    this.#server = server;
    const { uri, nextHop } = server;
    let isFirst = true;
    this.#subscription = endpoint.subscribe({
      uri,
      ...defined({ nextHop }),
      patience: this.#servers.patience(server),
      keepAlive: this.#silences.keepAlive(this.#options.keepAlive),
      from: ims?.identity ?? userUri,
      event: { value: "xcap-diff", params: new Map([["diff-processing", mode]]) },
      accept: ACCEPTED,
      ...defined({ expires }),
      ...this.#body(),
      headers: (headers) => this.#fill(headers),
      credentials: {
        ...credentials,
        bearer: async () => {
          this.#token = await this.#options.token();
          return this.#token;
        },
      },
      onNotify: async (notify) => {
        if (generation !== this.#generation) return { status: 200 };
        const first = isFirst;
        isFirst = false;
        return this.#notified(notify, first);
      },
      onEnd: (end) => {
        if (generation === this.#generation) this.#ended(end);
      },
    });
  }

  async #renew(subscription: Subscription): Promise<void> {
    const generation = this.#generation;
    try {
      this.#token = await this.#options.token();
    } catch {
      // The one before may still do; if not, it is asked for again after the challenge.
    }
    if (generation === this.#generation) subscription.refresh(this.#body());
  }

  #body(): { contentType: string; body: Uint8Array } {
    return writeMultipart([
      { contentType: MEDIA.resourceLists, body: utf8(writeResourceLists(this.#options.resources())) },
      { contentType: MEDIA.mcpttInfo, body: utf8(writeMcpttInfo({ accessToken: this.#token })) },
    ]);
  }

  /** Sets the header fields of every SUBSCRIBE, including refreshes. */
  #fill(headers: Headers): void {
    const { ims } = this.#options;
    if (ims === undefined) headers.append("P-Preferred-Service", MCPTT_SERVICE);
    else prefer(headers, ims.identity);
    const contact = headers.get(CONTACT);
    if (contact !== undefined && contact !== "*") {
      const feature = `"${encodeURIComponent(MCPTT_SERVICE)}"`;
      headers.set(CONTACT, {
        ...contact,
        params: new Map([...contact.params, ["+g.3gpp.icsi-ref", feature]]),
      });
    }
    // Its core may have credentials of its own there; the token is in the body.
    if (ims !== undefined) return;
    // RFC 8898 2.2.2: without waiting for the challenge, as the GMS is known to want it.
    headers.set(AUTHORIZATION, { scheme: "Bearer", token: this.#token, params: new Map() });
  }

  async #notified(notify: Notify, isFirst: boolean): Promise<Answer> {
    try {
      return await this.#options.onNotify(notify, isFirst);
    } finally {
      if (isFirst && notify.state !== "terminated") {
        this.#failures = 0;
        const server = this.#server!;
        this.#servers.worked(server);
        this.#options.tell({ type: "subscribed", server: server.name });
        this.#options.onReach(true);
      }
      for (const { resolve } of this.#waiters.splice(0)) resolve();
    }
  }

  #ended(end: SubscriptionEnd): void {
    const { cause, status, reason } = end;
    this.#subscription = undefined;
    this.#stopped?.();
    this.#stopped = undefined;
    if (!this.#running) return;
    this.#fail(`the subscription ended: ${cause} ${status ?? reason ?? ""}`);
    const server = this.#server!;
    const wait = isOfServer(end) ? this.#serverLost(server, end) : this.#refused(end);
    const retryAt = this.#options.now() + wait;
    const { name } = server;
    this.#options.tell({ type: "subscription-lost", server: name, cause: reason ?? cause, status, retryAt });
    this.#options.onReach(false);
    this.#subscribeAfter(wait);
  }

  /** Milliseconds until the next server is tried. */
  #serverLost(
    server: SipServer,
    { cause, status, reason, response, retryAfter = 0 }: SubscriptionEnd,
  ): number {
    const { clock, now, tell } = this.#options;
    if (cause === "silent") this.#silences.noticed();
    const seconds = response?.headers.get(RETRY_AFTER)?.seconds ?? 0;
    const wait = Math.max(seconds * 1000, cause === "expired" ? retryAfter : 0);
    const retryAt = now() + this.#servers.failed(server, wait) - clock.now();
    tell({ type: "server-lost", server: server.name, cause: reason ?? cause, status, retryAt });
    return this.#servers.pause();
  }

  /** Milliseconds until it is tried again. */
  #refused({ cause, status, retryAfter, response }: SubscriptionEnd): number {
    const { random } = this.#options;
    this.#failures++;
    // RFC 6665 4.1.3 would have it left alone. But a user who is no member today may be one tomorrow.
    const refused =
      (status !== undefined && LASTING.has(status)) || (cause === "terminated" && retryAfter === undefined);
    const seconds = response?.headers.get(RETRY_AFTER)?.seconds;
    const asked = seconds === undefined ? retryAfter : seconds * 1000;
    return retryWait({ failures: this.#failures, refused, retryAfter: asked }, random);
  }

  #tokenFailed(error: unknown): void {
    this.#fail("no access token");
    this.#failures++;
    const wait = retryWait({ failures: this.#failures }, this.#options.random);
    this.#options.tell({ type: "failed", error, retryAt: this.#options.now() + wait });
    this.#subscribeAfter(wait);
  }

  #subscribeAfter(milliseconds: number): void {
    this.#cancel();
    this.#cancel = this.#options.clock.after(milliseconds, () => void this.#subscribe());
  }

  #fail(why: string): void {
    for (const { reject } of this.#waiters.splice(0)) reject(lost(why));
  }
}

/** Returns whether another server may do better. */
function isOfServer({ cause, status, reason }: SubscriptionEnd): boolean {
  if (cause === "refused") return OF_SERVER.has(status!);
  return cause === "terminated" ? reason === "deactivated" : cause !== "unsubscribed";
}

function lost(why: string): MikeySakkeError {
  return new MikeySakkeError("transport", "SUBSCRIPTION_LOST", `xcap-diff: ${why}`);
}
