/** One run: honest clients alone, then among attackers, then alone again; and all that was counted meanwhile. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "../../bindings/core/core.ts";
import { sipServer } from "../../cli/device/sip.ts";
import { OPERATOR, withGmsAdmin } from "../../cli/gms/with-admin.ts";
import { readCallSdp } from "../../documents/sdp/call.ts";
import type { GmsAdminClient } from "../../roles/gms/admin/client.ts";
import type { Answers } from "./asked.ts";
import { type AttackFigures, startAttack, together } from "./attack/job.ts";
import { HonestMember } from "./honest/member.ts";
import { Recorder } from "./honest/recorder.ts";
import { Tokens } from "./honest/tokens.ts";
import { type HonestCounts, HonestWork } from "./honest/work.ts";
import { messageParts } from "./inputs/sip-text.ts";
import { type ServerProcess, SIP_WAYS, startServer } from "./server.ts";
import { type ServerCounts, serverCounts } from "./server-counts.ts";
import type { Channel, Place, StockFile } from "./stock.ts";
import { type Failed, Stopwatch, type Times, timesOf } from "./stopwatch.ts";
import { openThirdParty, type ThirdParty } from "./third-party.ts";
import { droppedDatagrams } from "./udp-drops.ts";

export interface RunOptions {
  readonly seed: string;
  readonly inputs: number;
  readonly honest: number;
  /** Milliseconds of the honest clients alone, and the most that the attack may take. */
  readonly calmMs: number;
  readonly attackMs: number;
  /** Told how far it is. */
  readonly note?: (text: string) => void;
}

export interface Memory {
  /** Resident octets: the most before the attack, the most during it, and what was left in the end. */
  readonly before: number;
  readonly most: number;
  readonly after: number;
}

export interface RunReport {
  readonly seed: string;
  readonly attack: AttackFigures;
  readonly calm: Times;
  readonly attacked: Times;
  readonly seconds: number;
  readonly failures: readonly Failed[];
  readonly memory: Memory;
  readonly thirdParty: readonly string[];
  /** Lines of the server's log at level error or fatal, and what is no line of its log. */
  readonly complaints: readonly string[];
  /** Answers with status 500, but for those that RFC 3261 12.2.2 asks for. */
  readonly internalErrors: number;
  readonly lost: readonly string[];
  readonly texts: ReturnType<HonestWork["textFaults"]>;
  readonly messages: { readonly sent: number; readonly received: number };
  readonly media: HonestWork["media"];
  readonly rekeys: readonly number[];
  readonly honest: HonestCounts & {
    subscribed: Answers;
    bound: Answers;
    bindings: string[];
    participants: string[];
  };
  readonly accepted: ServerCounts;
  /** GMK-IDs in rings that are of no rekey, or whose keys differ between members. */
  readonly forgedKeys: readonly string[];
  readonly status: number | NodeJS.Signals | null;
}

const GROUP = "sip:fire@example.org";
const OUTSIDER = "sip:mallory@example.org";
const CALLERS = 6;
const ATTACKERS = 2;
/** Each in its own network address, as limits for one source address are for one attacker. */
const SOURCES = [2, 3, 4, 5, 6, 7].map((n) => `127.0.0.${n}`);
const NOTE_MS = 10_000;
const SAMPLE_MS = 250;
const SETTLE_MS = 30_000;
/** Buffers of connections that were ended, and transactions of SIP, which last 32 s. */
const FALL_MS = 90_000;

export async function run(options: RunOptions): Promise<RunReport> {
  const folder = await mkdtemp(join(tmpdir(), "mikey-sakke-hostile-"));
  const thirdParty = await openThirdParty();
  const server = await startServer(join(folder, "data"));
  try {
    return await withGmsAdmin({ dataDir: server.dataDir }, (admin) =>
      attackServer(options, { server, thirdParty, admin, folder }),
    );
  } finally {
    await server.kill();
    await thirdParty.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Stage {
  readonly server: ServerProcess;
  readonly thirdParty: ThirdParty;
  readonly admin: GmsAdminClient;
  readonly folder: string;
}

async function attackServer(options: RunOptions, stage: Stage): Promise<RunReport> {
  const { server, thirdParty, admin, folder } = stage;
  const core = await load();
  const recorder = new Recorder();
  const tokens = await Tokens.open(server.dataDir, server);
  const world = { core, server, recorder, tokens, group: GROUP };
  const members = Array.from({ length: options.honest }, (_, i) => {
    const carrier = i % 3 === 2 ? "http" : "sip";
    return new HonestMember(`sip:member${i + 1}@example.org`, SIP_WAYS[i % SIP_WAYS.length]!, carrier, world);
  });
  const callers = members.slice(0, CALLERS);
  const stopwatch = new Stopwatch();
  const dropped = async () => {
    const { media, floor } = callPlaces(recorder.recorded.sip.client);
    const own = callers.flatMap(({ sockets }) => [...sockets.media, ...sockets.floor]);
    return droppedDatagrams(new Set([...media, ...floor, ...own].map(({ port }) => port)));
  };
  const work = new HonestWork({ members, callers, group: GROUP, admin, server, stopwatch, dropped });
  const memory = { before: 0, most: 0, after: 0 };
  let phase: "before" | "most" = "before";
  const sampling = setInterval(() => {
    if (!server.isRunning()) return;
    void server.memory().then(
      (octets) => {
        memory[phase] = Math.max(memory[phase], octets);
      },
      () => undefined,
    );
  }, SAMPLE_MS);
  const note = (text: string) => options.note?.(`${Math.round(performance.now() / 1000)} s: ${text}`);
  try {
    note("the servers listen");
    await each(members, (member) => member.provision());
    note("all have identity keys");
    await admin.createGroup(OPERATOR, { uri: GROUP, members: members.map(({ uri }) => ({ uri })) });
    await each(members, (member) => member.connect());
    await work.rekey();
    await each(members, (member) => member.bind());
    for (const caller of callers) await work.join(caller);

    note("all are bound");
    work.start();
    const calmFrom = performance.now();
    await pause(options.calmMs);
    const stock: StockFile = {
      ...recorder.recorded,
      places: placesOf(server, members, callPlaces(recorder.recorded.sip.client)),
      thirdParty: { host: thirdParty.host, port: thirdParty.port },
      tokens: await tokens.hostile(OUTSIDER, members[0]!.uri),
    };
    const stockFile = join(folder, "stock.json");
    await writeFile(stockFile, JSON.stringify(stock));

    phase = "most";
    const attackFrom = performance.now();
    const attacks = Array.from({ length: ATTACKERS }, (_, first) =>
      startAttack({
        seed: options.seed,
        stockFile,
        first,
        step: ATTACKERS,
        end: options.inputs,
        milliseconds: options.attackMs,
        sources: SOURCES.filter((_, i) => i % ATTACKERS === first),
      }),
    );
    const telling = setInterval(
      () => note(`${attacks.reduce((sum, { sent }) => sum + sent(), 0)} inputs`),
      NOTE_MS,
    );
    let figures: AttackFigures;
    try {
      figures = together(await Promise.race([Promise.all(attacks.map(({ done }) => done)), server.died]));
    } finally {
      clearInterval(telling);
      for (const attack of attacks) attack.stop();
    }
    const attackTo = performance.now();
    note(`${figures.sent} inputs were sent`);
    await work.stop();
    await work.rejoin();
    // A key that came while the attack was over must come too.
    await work.rekey();
    await waitFor(() => work.textFaults().missing === 0, SETTLE_MS);
    const accepted = await serverCounts(server);
    // Read together: clients go on to renew what they have while memory settles.
    const asked = { subscribed: recorder.asked.to("SUBSCRIBE"), bound: recorder.asked.to("PUBLISH") };
    const forgedKeys = forgedOf(members, new Set((await admin.gmks(GROUP)).map(({ gmkId }) => gmkId)));
    await waitFor(async () => (await server.memory()) < memory.before + MEMORY_LEFT, FALL_MS);
    memory.after = await server.memory();
    clearInterval(sampling);
    note("memory has settled");
    const participants = callers.map(({ uri }) => uri).sort();
    await each(members, (member) => member.close());
    const status = await server.stop();
    return {
      seed: options.seed,
      attack: figures,
      calm: timesOf(stopwatch.answers.filter(({ at }) => at >= calmFrom && at < attackFrom)),
      attacked: timesOf(stopwatch.answers.filter(({ at }) => at >= attackFrom && at < attackTo)),
      seconds: (attackTo - attackFrom) / 1000,
      failures: stopwatch.failures,
      memory,
      thirdParty: thirdParty.received,
      complaints: complaintsOf(server.lines()),
      internalErrors: Object.entries(figures.answers).reduce(
        (sum, [key, count]) => sum + (/ 500 (?!CSeq out of order)/.test(key) ? count : 0),
        0,
      ),
      lost: work.lost,
      texts: work.textFaults(),
      messages: {
        sent: work.texts.length,
        received: members.reduce((sum, { data }) => sum + data.length, 0),
      },
      media: work.media,
      rekeys: work.rekeys,
      honest: {
        ...work.counts,
        ...asked,
        bindings: members.map(({ uri }) => uri).sort(),
        participants,
      },
      accepted,
      forgedKeys,
      status,
    };
  } finally {
    clearInterval(sampling);
    await work.stop();
    await each(members, (member) => member.close().catch(() => undefined));
    core.destroy();
  }
}

/** Octets above those of before that may be left: what the runtime keeps for the next time. */
export const MEMORY_LEFT = 96 << 20;
/** Octets above those of before that may be used meanwhile. */
export const MEMORY_MOST = 256 << 20;

/** The sockets of the call at the server, as an answer to an INVITE tells them. */
function callPlaces(answers: readonly string[]): { media: Place[]; floor: Place[] } {
  for (const answer of answers) {
    const { head, body } = messageParts(new Uint8Array(Buffer.from(answer, "base64")));
    if (!head.startsWith("SIP/2.0 200") || !/^(?:Content-Type|c) *: *application\/sdp/im.test(head)) continue;
    const { media, floor } = readCallSdp(body);
    return { media: [media], floor: [floor] };
  }
  throw new Error("no answer to an INVITE was recorded");
}

function placesOf(
  server: ServerProcess,
  members: readonly HonestMember[],
  media: { media: Place[]; floor: Place[] },
): StockFile["places"] {
  const sip = (prefix: "gms" | "mcx", addresses: Readonly<Record<string, string>>) =>
    Object.entries(addresses).map(([way, address]): [Channel, Place[]] => {
      const { host, port } = sipServer(address, "SIP");
      return [`${prefix}-${way}` as Channel, [{ host, port }]];
    });
  const http = (url: string): Place[] => {
    const { port } = new URL(url);
    return [{ host: "127.0.0.1", port: Number(port) }];
  };
  const sockets = (kind: keyof HonestMember["sockets"]) => members.flatMap((member) => member.sockets[kind]);
  return {
    ...(Object.fromEntries([...sip("gms", server.sip), ...sip("mcx", server.mcxSip)]) as StockFile["places"]),
    kms: http(server.kmsUrl),
    xcap: http(server.xcapRoot),
    "kms-admin": http(server.kmsAdminUrl),
    "gms-admin": http(server.adminUrl),
    "mcx-admin": http(server.mcxAdminUrl),
    media: media.media,
    floor: media.floor,
    "client-sip": sockets("sip"),
    "client-media": sockets("media"),
    "client-floor": sockets("floor"),
  };
}

/** Returns what a server logs when something is wrong with it; what is not in JSON the runtime wrote. */
function complaintsOf(lines: readonly string[]): string[] {
  const ERROR = 50;
  return lines.filter((line) => {
    if (!line.startsWith("{")) return /exception|unhandled|rejection|error|warning|fatal| {4}at /i.test(line);
    return (JSON.parse(line) as { level?: number }).level! >= ERROR;
  });
}

function forgedOf(members: readonly HonestMember[], genuine: ReadonlySet<number>): string[] {
  const first = new Map<number, string>();
  const forged: string[] = [];
  for (const member of members) {
    for (const [gmkId, key] of member.keys()) {
      if (!genuine.has(gmkId)) forged.push(`${member.uri}: ${gmkId} is of no rekey`);
      if ((first.get(gmkId) ?? key) !== key) forged.push(`${member.uri}: ${gmkId} is another key`);
      first.set(gmkId, key);
    }
  }
  return forged;
}

const AT_ONCE = 4;

async function each<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function waitFor(condition: () => boolean | Promise<boolean>, milliseconds: number): Promise<void> {
  const until = performance.now() + milliseconds;
  while (!(await condition()) && performance.now() < until) await pause(100);
}
