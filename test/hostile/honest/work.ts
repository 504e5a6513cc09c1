/**
 * The work of honest members, all the time and all at once, and an account of what must have come of it: short data that
 * each must have once, frames that each listener must have heard, keys that all must hold.
 */
import { formatKeyId, type KeyId } from "../../../bindings/index.ts";
import { G711_FRAME } from "../../../bindings/media/index.ts";
import { everyFrame } from "../../../cli/call/pace.ts";
import { OPERATOR } from "../../../cli/gms/with-admin.ts";
import type { GmsAdminClient } from "../../../roles/gms/admin/client.ts";
import type { Listening } from "../server.ts";
import type { Stopwatch } from "../stopwatch.ts";
import type { HonestMember } from "./member.ts";

export interface WorkOptions {
  readonly members: readonly HonestMember[];
  /** Members who are in the call. */
  readonly callers: readonly HonestMember[];
  readonly group: string;
  readonly admin: GmsAdminClient;
  readonly server: Listening;
  readonly stopwatch: Stopwatch;
  /** Datagrams that the kernel has dropped at the sockets of media and floor control that are open. */
  readonly dropped: () => Promise<number>;
}

/** Successes by what the servers count them as. */
export interface HonestCounts {
  joined: number;
  sent: number;
}

const FRAMES = 25;
/** How long something that is on its way is waited for after the last of it came. */
const SETTLE_MS = 10_000;
const REKEY_MS = 60_000;
/** A new key is for use after that, or after many times what the slowest took until all had it. */
const ACTIVATION_MS = 30_000;
const MANY = 5;
const LOOK_MS = 20;
const BURST = new Int16Array(G711_FRAME).fill(1000);
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class HonestWork {
  readonly counts: HonestCounts = { joined: 0, sent: 0 };
  /** Descriptions of what did not arrive as it must. */
  readonly lost: string[] = [];
  readonly texts: { readonly text: string; readonly from: HonestMember }[] = [];
  /** Milliseconds from the order of a rekey until all members held the key. */
  readonly rekeys: number[] = [];
  /** Packets that were said, times those who listened; and how many of these never came. */
  readonly media = { expected: 0, missing: 0, twice: 0, dropped: 0, unexplained: 0, callsLost: 0 };
  newest: KeyId | undefined;
  readonly #options: WorkOptions;
  #isStopping = false;
  #loops: Promise<void>[] = [];

  constructor(options: WorkOptions) {
    this.#options = options;
  }

  async join(member: HonestMember): Promise<void> {
    await member.join();
    this.counts.joined++;
  }

  start(): void {
    const { members, server, stopwatch, callers } = this.#options;
    const idle = members.filter((member) => !callers.includes(member));
    const fetching = members.filter(({ carrier }) => carrier === "http");
    const subscribing = members.filter(({ carrier }) => carrier === "sip");
    const urls = [server.kmsAdminUrl, server.adminUrl, server.mcxAdminUrl];
    const turns = <T>(list: readonly T[]) => {
      let turn = 0;
      return () => list[turn++ % list.length]!;
    };
    const [fetcher, subscriber, asker, binder, sender, url] = [
      turns(fetching),
      turns(subscribing),
      turns(members),
      turns(idle),
      turns(members),
      turns(urls),
    ];
    this.#loops = [
      this.#loop(60, () => stopwatch.time("XCAP over HTTPS", () => fetcher().look())),
      this.#loop(120, () => stopwatch.time("KMS request over HTTPS", () => asker().lookup())),
      this.#loop(100, () => stopwatch.time("health over HTTP", () => asker().isHealthy(url()))),
      this.#loop(200, () => {
        const member = subscriber();
        return stopwatch.time(`SUBSCRIBE over ${member.way}`, () => member.subscribeAgain());
      }),
      this.#loop(250, () => {
        const member = binder();
        return stopwatch.time(`PUBLISH over ${member.way}`, () => member.bind());
      }),
      this.#loop(200, () => this.#send(sender())),
      this.#loop(100, () => this.#round()),
      this.#loop(2500, () => this.rekey()),
    ];
  }

  /**
   * A client that lost the call, for example because an answer took too long, notices and returns. Nobody is removed.
   */
  async rejoin(): Promise<void> {
    for (const member of this.#options.callers) {
      if (member.callEnd === undefined) continue;
      if (member.callEnd === "bye") this.lost.push(`${member.uri} was put out of the call`);
      this.media.callsLost++;
      await this.join(member);
    }
  }

  /** When everything that was begun is over. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#loops);
  }

  async #loop(wait: number, work: () => Promise<unknown>): Promise<void> {
    while (!this.#isStopping) {
      await work().catch((error: unknown) => this.lost.push(String(error)));
      await pause(wait);
    }
  }

  async #send(member: HonestMember): Promise<void> {
    const text = `units to gate ${this.texts.length}`;
    await this.#options.stopwatch.time(`MESSAGE over ${member.way}`, async () => {
      await member.sendText(text);
      this.counts.sent++;
      this.texts.push({ text, from: member });
    });
  }

  #talker = 0;

  /** One takes the floor and talks, all others in the call hear it; then one of these leaves and comes back. */
  async #round(): Promise<void> {
    const { callers, stopwatch, dropped } = this.#options;
    await this.rejoin();
    const talker = callers[this.#talker++ % callers.length]!;
    const listeners = callers.filter((member) => member !== talker);
    // A new key is used half a minute after it was ordered, which is soon where the machine is slow.
    const until = performance.now() + REKEY_MS;
    while (listeners.some((member) => member.lacksKeyOf(talker)) && performance.now() < until) {
      await pause(LOOK_MS);
    }
    const before = listeners.map(({ heard }) => heard);
    const droppedBefore = await dropped();
    const granted = await stopwatch.time("floor request", () => talker.takeFloor().then(() => true));
    if (granted !== true) {
      this.lost.push(`${talker.uri} was not given the floor`);
      return;
    }
    let said = 0;
    await everyFrame(async () => {
      try {
        await talker.say(BURST);
        said++;
      } catch (error) {
        this.lost.push(`${talker.uri} lost the floor: ${String(error)}`);
        return false;
      }
      for (const listener of listeners) listener.play();
      return said < FRAMES;
    });
    const missing = () =>
      listeners.reduce(
        (sum, { heard }, i) => sum + Math.max(0, said - (heard.received - before[i]!.received)),
        0,
      );
    // Packets that the kernel dropped never come.
    let left = missing();
    let settled = performance.now() + SETTLE_MS;
    while (left > (await dropped()) - droppedBefore && performance.now() < settled) {
      await pause(LOOK_MS);
      const now = missing();
      if (now < left) settled = performance.now() + SETTLE_MS;
      left = now;
    }
    const drops = (await dropped()) - droppedBefore;
    await talker.release().catch((error: unknown) => this.lost.push(String(error)));
    if (callers.some(({ callEnd }) => callEnd !== undefined)) return;
    this.media.expected += said * listeners.length;
    this.media.missing += left;
    this.media.dropped += drops;
    // One that is dropped on its way to the server is missing at all who listen.
    this.media.unexplained += Math.max(0, left - drops * listeners.length);
    listeners.forEach(({ heard }, i) => {
      this.media.twice += Math.max(0, heard.received - before[i]!.received - said);
    });
    const leaver = listeners[this.#talker % listeners.length]!;
    await stopwatch.time(`BYE over ${leaver.way}`, () => leaver.leave());
    const back = await stopwatch.time(`INVITE over ${leaver.way}`, () => this.join(leaver).then(() => true));
    if (back !== true) {
      this.lost.push(`${leaver.uri} did not get back into the call`);
      // A client that is not in the call is asked nothing.
      await this.join(leaver).catch(() => undefined);
    }
  }

  /** A new key for all, until all hold it. */
  async rekey(): Promise<void> {
    const { admin, group, members } = this.#options;
    const from = performance.now();
    // A member who has it already must not talk under it before the others have it too.
    const { gmkId, id } = await admin.rekey(OPERATOR, group, { activation: Date.now() + this.#activation() });
    while ((await admin.rekeyStatus(id)).sealedAt === undefined) await pause(LOOK_MS);
    for (const member of members) if (member.carrier === "http") await member.look().catch(() => undefined);
    const without = () => members.filter((member) => !member.hasKey(gmkId));
    while (without().length > 0 && performance.now() - from < REKEY_MS) await pause(LOOK_MS);
    const missing = without().map(({ uri, way, carrier }) => `${uri} (${carrier} ${way})`);
    if (missing.length > 0) this.lost.push(`GMK ${formatKeyId(gmkId)} never came to ${missing.join(", ")}`);
    this.rekeys.push(performance.now() - from);
    this.newest = gmkId;
  }

  #activation(): number {
    return Math.ceil(Math.max(ACTIVATION_MS, MANY * Math.max(0, ...this.rekeys)));
  }

  /** Short data: each text once at each member but its sender, and nothing else. */
  textFaults(): { missing: number; twice: number; forged: number } {
    const faults = { missing: 0, twice: 0, forged: 0 };
    const sent = new Map(this.texts.map(({ text, from }) => [text, from]));
    for (const member of this.#options.members) {
      const got = new Map<string, number>();
      for (const text of member.texts) got.set(text, (got.get(text) ?? 0) + 1);
      for (const [text, from] of sent) if (from !== member && !got.has(text)) faults.missing++;
      for (const [text, times] of got) {
        if (!sent.has(text) || sent.get(text) === member) faults.forged++;
        faults.twice += times - 1;
      }
    }
    return faults;
  }
}
