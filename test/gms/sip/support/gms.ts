/**
 * GMSs and members on a network in memory. Time is virtual and stands still while the database, the checks of tokens and
 * the sealing are at work, so that a test sees hours pass and no race.
 */

import { defined } from "../../../../base/defined.ts";
import { operator } from "../../../../roles/gms/common/caller.ts";
import type { GmsConfigInput } from "../../../../roles/gms/common/config.ts";
import type { GmsLog } from "../../../../roles/gms/common/log.ts";
import { type GmsMetrics, noMetrics } from "../../../../roles/gms/common/metrics.ts";
import type { GmsContext } from "../../../../roles/gms/common/ports.ts";
import { createCore, type GmsCore } from "../../../../roles/gms/context.ts";
import { createSipDelivery, type SipDelivery } from "../../../../roles/gms/sip/index.ts";
import { DevelopmentIssuer } from "../../../../roles/server/development-tokens.ts";
import type { TokenVerifier } from "../../../../roles/server/tokens.ts";
import type { Tracing } from "../../../../roles/server/tracing.ts";
import type { DeliveryRecord } from "../../../../store/gms/records.ts";
import type { Database } from "../../../../store/index.ts";
import { createSipEndpoint, type SipEndpoint } from "../../../../transport/sip/index.ts";
import { random } from "../../../sip/support/endpoints.ts";
import { Network } from "../../../sip/support/network.ts";
import { VirtualClock } from "../../../support/clock.ts";
import { emptyPglite } from "../../../support/empty-pglite.ts";
import { GMS_URI, makeWorld, memberUri, type World } from "../../memory-gms.ts";
import { Member, type MemberOptions } from "./member.ts";

export const XCAP_ROOT = "https://gms.example.com/xcap/";
export const ADMIN = operator("operator");
export const GROUP = "sip:group1@home.example";
const SCOPES = { "3gpp:mc:ptt_group_management_service": ["mcptt_id"] };

/** One process. */
export interface Process {
  readonly host: string;
  readonly core: GmsCore;
  readonly context: GmsContext;
  readonly endpoint: SipEndpoint;
  readonly delivery: SipDelivery;
  /** Codes of `metrics.subscribed` and results of `metrics.notified`, in their order. */
  readonly subscribed: string[];
  readonly notified: string[];
  /** No word more from it, and nothing is put in order. */
  kill(): void;
}

export interface SetupOptions {
  readonly config?: Partial<GmsConfigInput>;
  readonly permitted?: readonly string[];
  readonly processes?: number;
  readonly log?: GmsLog;
  readonly tracing?: Tracing;
}

export class Setup {
  readonly clock = new VirtualClock();
  readonly network = new Network(this.clock);
  readonly processes: Process[] = [];
  readonly members: Member[] = [];
  world!: World;
  #issuer!: DevelopmentIssuer;
  #tokens!: TokenVerifier;
  #pending = 0;

  static async create(options: SetupOptions = {}): Promise<Setup> {
    const setup = new Setup();
    const database = setup.#counting(await emptyPglite());
    const { config, permitted } = options;
    const now = setup.clock.now();
    setup.world = await makeWorld({
      database,
      now,
      storeTime: () => setup.clock.now(),
      ...defined({ config, permitted }),
    });
    setup.#issuer = await DevelopmentIssuer.create([{ uri: GMS_URI, scopes: SCOPES }]);
    const verifier = setup.#issuer.verifier(GMS_URI);
    setup.#tokens = { verify: (...args) => setup.#during(verifier.verify(...args)) };
    setup.#countSealing();
    for (let i = 1; i <= (options.processes ?? 1); i++) await setup.#start(`10.0.0.${i}`, options);
    return setup;
  }

  async #during<T>(work: Promise<T>): Promise<T> {
    this.#pending++;
    try {
      return await work;
    } finally {
      this.#pending--;
    }
  }

  #counting(db: Database): Database {
    return {
      kind: db.kind,
      query: (text, params) => this.#during(db.query(text, params)),
      transaction: (work) => this.#during(db.transaction(work)),
      close: () => db.close(),
    };
  }

  /** Counts the chunks at work, each from its claim to its end. */
  #countSealing(): void {
    const { store } = this.world;
    const [claim, save, release] = [
      store.claimChunk.bind(store),
      store.saveChunk.bind(store),
      store.releaseChunk.bind(store),
    ];
    const ended = <T>(work: Promise<T>) =>
      work.finally(() => {
        this.#pending--;
      });
    store.claimChunk = async (claimant) => {
      const chunk = await claim(claimant);
      if (chunk !== undefined) this.#pending++;
      return chunk;
    };
    store.saveChunk = (...args) => ended(save(...args));
    store.releaseChunk = (...args) => ended(release(...args));
  }

  async #start(host: string, { log, tracing }: SetupOptions): Promise<void> {
    const { clock, network, world } = this;
    const [subscribed, notified]: [string[], string[]] = [[], []];
    const metrics: GmsMetrics = {
      ...noMetrics,
      subscribed: (code) => subscribed.push(code),
      notified: (result) => notified.push(result),
    };
    let dead = false;
    const own = {
      now: () => clock.now(),
      after: (ms: number, run: () => void) => clock.after(ms, () => dead || run()),
    };
    const core = createCore({
      config: world.config,
      store: world.store,
      keys: world.keys,
      instance: host,
      now: () => clock.now(),
      metrics,
      timers: own,
      ...defined({ log, tracing }),
    });
    const address = { host, port: 5060 };
    const transports = [network.udp(address), network.stream("TCP", address)];
    const endpoint = createSipEndpoint({ transports, clock, random, user: "gms" });
    const options = { endpoint, tokens: this.#tokens, xcapRoot: XCAP_ROOT, clock: own };
    const delivery = createSipDelivery(core.context, options);
    await core.start();
    delivery.start();
    await endpoint.start();
    const kill = () => {
      dead = true;
      void endpoint.close();
      core.context.store.claimDeliveries = () => Promise.resolve([]);
    };
    const { context } = core;
    this.processes.push({ host, core, context, endpoint, delivery, subscribed, notified, kill });
  }

  /** Ends a process as an operator does, so that nothing of it is at work any more. */
  async end(process: Process): Promise<void> {
    const { delivery, core, endpoint } = process;
    let done = false;
    const ended = (async () => {
      await delivery.close(0);
      await core.stop();
      await endpoint.close();
    })().finally(() => {
      done = true;
    });
    while (!done) await this.pass(10);
    await ended;
    this.processes.splice(this.processes.indexOf(process), 1);
  }

  /** Another process, at an address of its own. */
  async begin(host: string): Promise<Process> {
    await this.#start(host, {});
    return this.processes.at(-1)!;
  }

  get gms(): Process {
    return this.processes[0]!;
  }

  get tokens(): TokenVerifier {
    return this.#tokens;
  }

  token(userUri: string, options: { audience?: string[]; lifetime?: number; scopes?: string[] } = {}) {
    return this.#issuer.token({ userUri, now: this.clock.now(), ...options });
  }

  /** Token of a server, which is not a user. */
  serverToken(clientId: string) {
    return this.#issuer.token({ clientId, now: this.clock.now() });
  }

  /** Makes a member that has not subscribed yet. */
  async member(i: number, options: Partial<MemberOptions> = {}): Promise<Member> {
    const uri = memberUri(i);
    const member = new Member({
      uri,
      address: { host: `10.1.${this.members.length}.${i}`, port: 5060 },
      gms: `sip:gms@${this.gms.host}`,
      network: this.network,
      clock: this.clock,
      token: await this.token(uri),
      groups: [GROUP],
      ...options,
    });
    this.members.push(member);
    await member.start();
    return member;
  }

  /** Lets time pass while there is nothing else to do, until the condition holds. */
  async until(holds: () => boolean | Promise<boolean>, what = "the condition"): Promise<void> {
    const end = this.clock.now() + 24 * 3_600_000;
    while (!(await holds())) {
      if (this.clock.now() > end) throw new Error(`a day has passed without ${what}`);
      await this.pass(20);
    }
  }

  /** Milliseconds, in small steps, while the database rests. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.clock.now() + milliseconds;
    const step = Math.max(10, milliseconds / 200);
    while (this.clock.now() < end) {
      await this.#quiet();
      await this.clock.pass(Math.min(step, end - this.clock.now()));
    }
    await this.#quiet();
  }

  async #quiet(): Promise<void> {
    for (let calm = 0; calm < 4; calm++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#pending > 0) calm = -1;
    }
  }

  /** All deliveries of a rekey, by number of the member. */
  async deliveries(rekey: number): Promise<DeliveryRecord[]> {
    return this.world.store.deliveries(rekey, { limit: 1000 });
  }

  async states(rekey: number): Promise<string[]> {
    return (await this.deliveries(rekey)).map(({ state }) => state);
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.close()));
    const stopped = Promise.all(
      this.processes.map(async ({ delivery, core, endpoint }) => {
        await delivery.close(0);
        await core.stop();
        await endpoint.close();
      }),
    );
    let done = false;
    const finished = stopped.then(() => {
      done = true;
    });
    while (!done) await this.pass(10);
    await finished;
    await this.world.close();
  }
}
