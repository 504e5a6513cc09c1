/**
 * Secure GMK provisioning via HTTP (TS 33.180 5.7.2.y): GKTP documents are fetched when they have changed, what came of
 * their messages is reported, and group documents are looked at for membership.
 */

import { MikeySakkeError } from "../../base/errors.ts";
import { fraction, type RandomSource } from "../../base/random.ts";
import {
  groupDocumentPath,
  MEDIA,
  readGktpDocument,
  readGroupDocument,
} from "../../documents/group-xml/index.ts";
import type { Clock } from "../../transport/sip/index.ts";
import type { Tell } from "./events.ts";
import type { Inbox } from "./inbox.ts";
import { Reports } from "./reports.ts";
import { retryWait } from "./retry-wait.ts";
import { type XcapClient, XcapRefusedError } from "./xcap-client.ts";

export interface FetcherOptions {
  readonly xcap: XcapClient;
  readonly inbox: Inbox;
  /** Paths of the GKTP documents. */
  readonly gktpPaths: () => readonly string[];
  /** Milliseconds between two looks, about; undefined: only when asked to. */
  readonly pollMs: number | undefined;
  readonly clock: Clock;
  readonly now: () => number;
  readonly random: RandomSource;
  readonly tell: Tell;
}

/** While SIP is away: the first look, and the longest wait between two of them. */
const STAND_IN_FIRST_MS = 3000;
const STAND_IN_LONGEST_MS = 60_000;

export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #reports: Reports;
  #stop: AbortController | undefined;
  #running: Promise<void> | undefined;
  /** Asked for while one was running. */
  #isDue = false;
  #failures = 0;
  /** Looks since SIP went away; undefined while it is there. */
  #standIns: number | undefined;
  #cancel: () => void = () => undefined;

  constructor(options: FetcherOptions) {
    this.#options = options;
    this.#reports = new Reports(options.xcap);
  }

  start(): void {
    if (this.#stop !== undefined) return;
    this.#stop = new AbortController();
    if (this.#options.pollMs !== undefined) this.soon();
  }

  /** Ends what is under way. */
  async stop(): Promise<void> {
    this.#stop?.abort(new MikeySakkeError("transport", "STOPPED", "the client was stopped"));
    this.#stop = undefined;
    this.#cancel();
    await this.#running?.catch(() => undefined);
  }

  /**
   * While keys do not come by SIP, they are looked for here: after a few seconds, in which SIP mostly is back, and then
   * ever less often.
   */
  standIn(isNeeded: boolean): void {
    if (isNeeded === (this.#standIns !== undefined)) return;
    this.#standIns = isNeeded ? 0 : undefined;
    const signal = this.#stop?.signal;
    if (signal === undefined || this.#running !== undefined) return;
    // What failed and was asked for by a NOTIFY is still to be fetched.
    if (!isNeeded && this.#failures > 0) return;
    this.#cancel();
    this.#next(signal);
  }

  /** Fetches now, or once more after what is under way. Failures are told, and tried again. */
  soon(): void {
    void this.refresh().catch(() => undefined);
  }

  /** The same, and waits for it. */
  async refresh(): Promise<void> {
    const signal = this.#stop?.signal;
    if (signal === undefined) throw new MikeySakkeError("usage", "NOT_STARTED", "the client does not run");
    if (this.#running !== undefined) {
      this.#isDue = true;
      return this.#running;
    }
    this.#cancel();
    this.#running = this.#rounds(signal).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #rounds(signal: AbortSignal): Promise<void> {
    try {
      do {
        this.#isDue = false;
        await this.#round(signal);
      } while (this.#isDue && !signal.aborted);
      this.#failures = 0;
      this.#options.tell({ type: "fetched" });
      this.#next(signal);
    } catch (error) {
      if (!signal.aborted) this.#failed(error, signal);
      throw error;
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { gktpPaths, inbox } = this.#options;
    for (const path of gktpPaths()) await this.#keys(path, signal);
    await this.#reports.send(signal);
    for (const groupUri of inbox.groups) await this.#group(groupUri, signal);
  }

  async #keys(path: string, signal: AbortSignal): Promise<void> {
    const { xcap, inbox } = this.#options;
    const document = await xcap.get(path, MEDIA.gktp, signal);
    if (document.state !== "content") return;
    const entries = readGktpDocument(document.body);
    const taken = await inbox.takeAll(entries, "http");
    this.#reports.note(path, entries, taken);
    const failed = taken.find(({ outcome }) => outcome === "failed");
    if (failed?.outcome === "failed") throw failed.error;
    xcap.keep(path, document.etag);
  }

  async #group(groupUri: string, signal: AbortSignal): Promise<void> {
    const { xcap, inbox } = this.#options;
    const path = groupDocumentPath(groupUri);
    const document = await xcap.get(path, MEDIA.group, signal);
    if (document.state === "gone") return inbox.gone(groupUri);
    if (document.state === "content") {
      // Not anything that some server has at that place.
      readGroupDocument(document.body);
      xcap.keep(path, document.etag);
    }
    await inbox.present(groupUri);
  }

  #next(signal: AbortSignal): void {
    const { random } = this.#options;
    const wait = this.#wait();
    if (wait === undefined || signal.aborted) return;
    this.#after(wait * (0.75 + fraction(random) / 2));
  }

  #wait(): number | undefined {
    const { pollMs } = this.#options;
    if (this.#standIns === undefined) return pollMs;
    const wait = Math.min(STAND_IN_FIRST_MS * 2 ** this.#standIns, STAND_IN_LONGEST_MS);
    if (wait < STAND_IN_LONGEST_MS) this.#standIns++;
    return Math.min(wait, pollMs ?? wait);
  }

  #failed(error: unknown, signal: AbortSignal): void {
    const { now, random, tell } = this.#options;
    this.#failures++;
    const { status, retryAfter } = error instanceof XcapRefusedError ? error : {};
    const refused = status !== undefined && status !== 401 && status < 500 && status !== 429;
    const wait = retryWait({ failures: this.#failures, refused, retryAfter }, random);
    tell({ type: "failed", error, retryAt: now() + wait });
    if (!signal.aborted) this.#after(wait);
  }

  #after(milliseconds: number): void {
    this.#cancel();
    this.#cancel = this.#options.clock.after(milliseconds, () => this.soon());
  }
}
