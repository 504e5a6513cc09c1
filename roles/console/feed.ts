/**
 * The feed that tells pages what goes on: rekeys, the answers of members, calls, health. Nothing is looked for while
 * nobody looks.
 */
import { pauseOn, systemClock } from "../../base/clock.ts";
import { defined } from "../../base/defined.ts";
import type { DeliveryRecord, RekeyRecord } from "../../store/gms/records.ts";
import { LastingFaults } from "../server/lasting-faults.ts";
import type { ServerLog } from "../server/log.ts";
import type { ConsoleBackend } from "./backend.ts";
import { healthOf } from "./health.ts";
import type { FeedEvents } from "./messages.ts";

/** Milliseconds between two looks at the database, when something happens and when nothing is known of. */
const PACE_MS = 200;
const IDLE_MS = 2000;
const HEALTH_MS = 5000;
const LOOK = "console";
/** Rekeys that are looked at, of all groups and of each that is watched. */
const RECENT = 20;
const PAGE = 1000;
/** Members whose states a page is told one by one; of a larger group it has the counts. */
export const MOST_MEMBERS = 5000;
/** Members in one event. */
const PART = 250;

type Tell = <N extends keyof FeedEvents>(name: N, data: FeedEvents[N]) => void;

interface Page {
  readonly group: string | undefined;
  readonly tell: Tell;
}

export interface FeedOptions {
  readonly backend: ConsoleBackend;
  readonly fetch: typeof fetch;
  readonly log: ServerLog;
}

export class Feed {
  readonly #options: FeedOptions;
  readonly #faults: LastingFaults;
  readonly #pages = new Set<Page>();
  /** The rekeys as pages were told them last, by number. */
  readonly #rekeys = new Map<number, string>();
  /** The state of each member as pages were told it, for the rekeys of watched groups. */
  readonly #states = new Map<number, Map<string, string>>();
  #last: { calls: string; health: string; healthAt: number } = { calls: "", health: "", healthAt: 0 };
  #wake = () => {};
  #running: Promise<void> | undefined;
  #off: (() => void) | undefined;
  #closed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#faults = new LastingFaults(options.log);
  }

  get size(): number {
    return this.#pages.size;
  }

  /** Tells a page what happens from now on, until what is returned is called. */
  async open(group: string | undefined, tell: Tell): Promise<() => void> {
    const page = { group, tell };
    // All that it is not told by and by, it gets by asking after the hello.
    if (group !== undefined) await this.#learn(group);
    this.#pages.add(page);
    tell("hello", { at: Date.now() });
    this.#last = { calls: "", health: "", healthAt: 0 };
    this.#start();
    this.#wake();
    return () => {
      this.#pages.delete(page);
      this.#forget();
      this.#wake();
    };
  }

  tellAll: Tell = (name, data) => {
    for (const { tell } of this.#pages) tell(name, data);
  };

  async close(): Promise<void> {
    this.#closed = true;
    this.#pages.clear();
    this.#wake();
    await this.#running;
  }

  #start(): void {
    if (this.#running !== undefined || this.#closed) return;
    this.#off = this.#options.backend.on({
      rekeyProgress: () => this.#wake(),
      groupsChanged: (groups) => {
        this.tellAll("groups", { groups });
        this.#wake();
      },
    });
    this.#running = this.#run().finally(() => {
      this.#off?.();
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    while (this.#pages.size > 0 && !this.#closed) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const began = performance.now();
      await this.#look().then(
        () => this.#faults.succeeded(LOOK),
        (error: unknown) => this.#faults.failed(LOOK, error, "the console could not look"),
      );
      // A look that takes long leaves the database to others for as long.
      await pauseOn(systemClock, Math.max(PACE_MS, performance.now() - began));
      if (this.#pages.size === 0) return;
      await Promise.race([woken, pauseOn(systemClock, IDLE_MS)]);
    }
  }

  async #look(): Promise<void> {
    const { gms, mcx } = this.#options.backend;
    if (mcx !== undefined) {
      const calls = { sessions: mcx.sessions(), clients: mcx.clients() };
      const text = JSON.stringify(calls);
      if (text !== this.#last.calls) this.tellAll("calls", calls);
      this.#last.calls = text;
    }
    const watched = new Set([...this.#pages].flatMap(({ group }) => group ?? []));
    const seen = new Map<number, RekeyRecord>();
    for (const rekey of await gms.rekeys({ limit: RECENT })) seen.set(rekey.id, rekey);
    for (const groupUri of watched) {
      for (const rekey of await gms.rekeys({ groupUri, limit: RECENT })) seen.set(rekey.id, rekey);
    }
    for (const rekey of [...seen.values()].sort((a, b) => a.id - b.id)) {
      const text = JSON.stringify(rekey);
      if (this.#rekeys.get(rekey.id) === text) continue;
      this.#rekeys.set(rekey.id, text);
      this.tellAll("rekey", rekey);
      if (rekey.groups.some((group) => watched.has(group))) await this.#tellStates(rekey);
    }
    await this.#lookAtHealth();
  }

  async #lookAtHealth(): Promise<void> {
    const { backend, fetch } = this.#options;
    const now = performance.now();
    if (this.#last.healthAt !== 0 && now - this.#last.healthAt < HEALTH_MS) return;
    this.#last.healthAt = now;
    await this.#lookAtProcesses();
    const health = await Promise.all(
      Object.entries(backend.apis).map(([server, api]) => healthOf(server as "kms", api, fetch)),
    );
    const text = JSON.stringify(health);
    if (text !== this.#last.health) this.tellAll("health", health);
    this.#last.health = text;
  }

  /** They report themselves a few times a minute, by the clock of the database. */
  async #lookAtProcesses(): Promise<void> {
    const processes = await this.#options.backend.processes();
    this.tellAll("processes", { processes });
  }

  /** Learns the present states of the members of a group, without telling pages. */
  async #learn(groupUri: string): Promise<void> {
    for (const rekey of await this.#options.backend.gms.rekeys({ groupUri, limit: RECENT })) {
      if (this.#states.has(rekey.id)) continue;
      this.#states.set(rekey.id, new Map());
      await this.#changes(rekey);
      this.#rekeys.set(rekey.id, JSON.stringify(rekey));
    }
  }

  async #tellStates(rekey: RekeyRecord): Promise<void> {
    if (!this.#states.has(rekey.id)) this.#states.set(rekey.id, new Map());
    const changed = await this.#changes(rekey);
    for (let from = 0; from < changed.length; from += PART) {
      const deliveries = changed.slice(from, from + PART);
      for (const { group, tell } of this.#pages) {
        if (group !== undefined && rekey.groups.includes(group)) {
          tell("deliveries", { rekey: rekey.id, deliveries });
        }
      }
    }
  }

  /** Deliveries whose state has changed since the page was told. */
  async #changes({ id }: RekeyRecord): Promise<DeliveryRecord[]> {
    const states = this.#states.get(id)!;
    const changed: DeliveryRecord[] = [];
    let after: string | undefined;
    for (let read = 0; read < MOST_MEMBERS; read += PAGE) {
      const query = { limit: PAGE, ...defined({ after }) };
      const page = await this.#options.backend.gms.deliveries(id, query);
      for (const delivery of page) {
        const text = `${delivery.state} ${delivery.attempts} ${delivery.changedAt}`;
        if (states.get(delivery.memberUri) === text) continue;
        states.set(delivery.memberUri, text);
        changed.push(delivery);
      }
      if (page.length < PAGE) break;
      after = page.at(-1)!.memberUri;
    }
    return changed;
  }

  /** States are kept for groups that somebody watches. */
  #forget(): void {
    if ([...this.#pages].some(({ group }) => group !== undefined)) return;
    this.#states.clear();
    this.#rekeys.clear();
  }
}
