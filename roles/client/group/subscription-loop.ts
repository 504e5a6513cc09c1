/** One subscription to xcap-diff at a GMS, made again whenever it is lost (RFC 5875, RFC 6665 4.1, TS 24.481 6.3.13). */
import { utf8 } from "../../../bindings/bytes.ts";
import { MikeySakkeError } from "../../../bindings/errors.ts";
import type { RandomSource } from "../../../bindings/random.ts";
import {
  MEDIA,
  writeMcpttInfo,
  writeMultipart,
  writeResourceLists,
} from "../../../transport/group-xml/index.ts";
import {
  type Answer,
  AUTHORIZATION,
  type Clock,
  CONTACT,
  type Credentials,
  type Headers,
  type Notify,
  RETRY_AFTER,
  type SipEndpoint,
  type Subscription,
  type SubscriptionEnd,
} from "../../../transport/sip/index.ts";
import { backOff } from "./back-off.ts";
import type { Tell } from "./events.ts";
import { ACCEPTED } from "./notify-content.ts";

/** MCPTT service, as TS 24.481 6.3.13.2 names it in P-Preferred-Service and Contact. */
const SERVICE = "urn:urn-7:3gpp-service.ims.icsi.mcptt";

export interface SubscriptionLoopOptions {
  readonly endpoint: SipEndpoint;
  /** Where to subscribe: the PSI of the GMS. */
  readonly sipUri: string;
  readonly userUri: string;
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
}

/** Refusals that hold until something is changed at the GMS (RFC 3261 21.4, RFC 6665 8.2). */
const LASTING = new Set([400, 403, 404, 405, 406, 410, 413, 415, 416, 489, 501, 604]);

const LEAVE_MS = 2000;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: MikeySakkeError) => void;
}

export class SubscriptionLoop {
  readonly #options: SubscriptionLoopOptions;
  #subscription: Subscription | undefined;
  /** What belongs to a subscription that was given up has an older number. */
  #generation = 0;
  #running = false;
  #token = "";
  #failures = 0;
  #cancel: () => void = () => undefined;
  #waiters: Waiter[] = [];
  #stopped: (() => void) | undefined;

  constructor(options: SubscriptionLoopOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#failures = 0;
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
    this.#subscribeAfter(backOff({ failures: this.#failures }, this.#options.random));
  }

  async #subscribe(): Promise<void> {
    const generation = ++this.#generation;
    const { endpoint, sipUri, userUri, mode, expires, credentials } = this.#options;
    try {
      this.#token = await this.#options.token();
    } catch (error) {
      if (generation === this.#generation && this.#running) this.#tokenFailed(error);
      return;
    }
    if (generation !== this.#generation || !this.#running) return;
    let isFirst = true;
    this.#subscription = endpoint.subscribe({
      uri: sipUri,
      from: userUri,
      event: { value: "xcap-diff", params: new Map([["diff-processing", mode]]) },
      accept: ACCEPTED,
      ...(expires !== undefined && { expires }),
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

  /** Of every SUBSCRIBE, refreshes included. */
  #fill(headers: Headers): void {
    headers.append("P-Preferred-Service", SERVICE);
    const contact = headers.get(CONTACT);
    if (contact !== undefined && contact !== "*") {
      const feature = `"${encodeURIComponent(SERVICE)}"`;
      headers.set(CONTACT, {
        ...contact,
        params: new Map([...contact.params, ["+g.3gpp.icsi-ref", feature]]),
      });
    }
    // RFC 8898 2.2.2: without waiting for the challenge, as the GMS is known to want it.
    headers.set(AUTHORIZATION, { scheme: "Bearer", token: this.#token, params: new Map() });
  }

  async #notified(notify: Notify, isFirst: boolean): Promise<Answer> {
    try {
      return await this.#options.onNotify(notify, isFirst);
    } finally {
      if (isFirst && notify.state !== "terminated") {
        this.#failures = 0;
        this.#options.tell({ type: "subscribed" });
      }
      for (const { resolve } of this.#waiters.splice(0)) resolve();
    }
  }

  #ended({ cause, status, retryAfter, reason, response }: SubscriptionEnd): void {
    this.#subscription = undefined;
    this.#stopped?.();
    this.#stopped = undefined;
    if (!this.#running) return;
    this.#fail(`the subscription ended: ${cause} ${status ?? reason ?? ""}`);
    this.#failures++;
    const seconds = response?.headers.get(RETRY_AFTER)?.seconds;
    const wait = backOff(
      {
        failures: this.#failures,
        // RFC 6665 4.1.3 would have it left alone. But who is no member today may be one tomorrow.
        refused:
          (status !== undefined && LASTING.has(status)) ||
          (cause === "terminated" && retryAfter === undefined),
        retryAfter: seconds === undefined ? retryAfter : seconds * 1000,
      },
      this.#options.random,
    );
    const retryAt = this.#options.now() + wait;
    this.#options.tell({ type: "subscription-lost", cause: reason ?? cause, status, retryAt });
    this.#subscribeAfter(wait);
  }

  #tokenFailed(error: unknown): void {
    this.#fail("no access token");
    this.#failures++;
    const wait = backOff({ failures: this.#failures }, this.#options.random);
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

function lost(why: string): MikeySakkeError {
  return new MikeySakkeError("transport", "SUBSCRIPTION_LOST", `xcap-diff: ${why}`);
}
