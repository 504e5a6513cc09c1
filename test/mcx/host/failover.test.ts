/**
 * Three processes of an MCX server on one PostgreSQL, and members in a call: the process that serves it is killed, stands
 * still, or is stopped, and everybody hears again soon. What is asserted is that they do; the seconds that it took are told.
 * `npm run test:failover` has more members.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { utf8 } from "../../../base/bytes.ts";
import { type Core, load } from "../../../bindings/core/core.ts";
import type { KeyId } from "../../../bindings/index.ts";
import { PAYLOAD_CONTENT_TYPES } from "../../../bindings/mcdata/index.ts";
import { G711_FRAME } from "../../../bindings/media/index.ts";
import { tone } from "../../../cli/call/tone.ts";
import type { McxCall, McxClient, McxClientEvent } from "../../../roles/client/mcx/index.ts";
import { openDatabase } from "../../../store/index.ts";
import { gmkOf } from "../../media/packets.ts";
import { freePort } from "../../support/free-port.ts";
import { type Cluster, describeWithPostgres, startPostgres } from "../../support/postgres.ts";
import { HOME_KMS, makeKms } from "../../support/world.ts";
import { openDevice } from "../signalling/device.ts";
import { GROUP } from "../signalling/parts.ts";
import { type McxProcess, startMcxProcess } from "./mcx-process.ts";

const HOST = "127.0.0.1";
const MEMBERS = process.env.MIKEY_SAKKE_LONG ? 24 : 4;
const PROCESSES = 3;
const LIMIT_MS = 60_000;
const FRAME_MS = 20;
const NAMES = Array.from({ length: MEMBERS }, (_, n) => `sip:member-${n}@home.example`);

interface Member {
  readonly client: McxClient;
  readonly events: McxClientEvent[];
  readonly texts: string[];
  call?: McxCall;
  /** When something was heard last, and the longest silence before, in milliseconds. */
  heardAt: number;
  silence: number;
  close(): Promise<void>;
}

describeWithPostgres("three processes of an MCX server", () => {
  let cluster: Cluster;
  let databaseUrl: string;
  let core: Core;
  const ports: number[] = [];
  const processes: McxProcess[] = [];

  beforeAll(async () => {
    cluster = await startPostgres();
    databaseUrl = await cluster.createDatabase();
    await (await openDatabase({ url: databaseUrl, max: 1 })).close();
    core = await load();
    for (let i = 0; i < PROCESSES; i++) ports.push(await freePort(HOST));
    await Promise.all(ports.map((_, i) => begin(i)));
  });
  afterAll(async () => {
    await Promise.all(processes.map((one) => one.kill()));
    await cluster?.stop();
    core?.destroy();
  });

  async function begin(i: number): Promise<void> {
    const job = { databaseUrl, port: ports[i]!, members: NAMES, trustedProxies: [] };
    processes[i] = await startMcxProcess(job);
  }

  async function serving(): Promise<number> {
    const states = await Promise.all(processes.map((one) => one.state()));
    const with1 = states.flatMap(({ calls }, i) => (calls > 0 ? [i] : []));
    expect(with1).toHaveLength(1);
    return with1[0]!;
  }

  /** Each begins at another process. */
  async function membersOver(transport: "udp" | "tcp"): Promise<Member[]> {
    const kms = makeKms(core, HOME_KMS);
    const keys = gmkOf(0x0100000 as KeyId, NAMES);
    return Promise.all(
      NAMES.map(async (user, n) => {
        const uris = ports.map((_, i) => `sip:${HOST}:${ports[(i + n) % PROCESSES]};transport=${transport}`);
        const [events, texts]: [McxClientEvent[], string[]] = [[], []];
        const { client, close } = await openDevice({ user, kms, key: keys[n]!, server: uris, texts, events });
        return { client, close, events, texts, heardAt: 0, silence: 0 };
      }),
    );
  }

  /** The first member talks, and all others listen, until the function that it returns is called. */
  function talk([talker, ...listeners]: readonly Member[]): () => void {
    const frame = tone(440, G711_FRAME);
    const timer = setInterval(() => {
      const { call } = talker!.call!;
      if (call.floor.state === "granted") void call.send(frame);
      else if (call.floor.state === "idle") call.request();
      const now = performance.now();
      for (const listener of listeners) {
        if (listener.call!.call.play()?.some((sample) => Math.abs(sample) > 1000) !== true) continue;
        if (listener.heardAt > 0) listener.silence = Math.max(listener.silence, now - listener.heardAt);
        listener.heardAt = now;
      }
    }, FRAME_MS);
    return () => clearInterval(timer);
  }

  const faults: Record<string, { strike(i: number): unknown; mend(i: number): Promise<void> }> = {
    "is killed": { strike: (i) => processes[i]!.kill(), mend: begin },
    "stands still": { strike: (i) => processes[i]!.freeze(), mend: async (i) => processes[i]!.thaw() },
    "is stopped": { strike: (i) => processes[i]!.stop(), mend: begin },
  };

  it.each(["udp", "tcp"] as const)(
    "appear as one to members over %s: data reaches all, and a call outlives its process",
    async (transport) => {
      const members = await membersOver(transport);
      try {
        const [first, ...others] = members;
        await first!.client.send(GROUP, [{ contentType: PAYLOAD_CONTENT_TYPES.TEXT, data: utf8("to all") }]);
        await until(() => others.every(({ texts }) => texts.length > 0));
        await Promise.all(
          members.map(async (member) => {
            member.call = await member.client.call(GROUP, { members: () => NAMES });
          }),
        );
        const stop = talk(members);
        for (const [name, { strike, mend }] of Object.entries(faults)) {
          await until(() => others.every(({ heardAt }) => heardAt > performance.now() - 500));
          for (const member of others) member.silence = 0;
          const struck = await serving();
          const at = performance.now();
          const striking = strike(struck);
          // Packets that were still on their way do not count.
          await until(() => others.every(({ heardAt, silence }) => heardAt > at + 1000 && silence > 0));
          await striking;
          const longest = Math.max(...others.map(({ silence }) => silence));
          console.log(
            `${transport}, the process of the call ${name}: ${MEMBERS} members, all hear again after ` +
              `${(longest / 1000).toFixed(1)} s at the most`,
          );
          await mend(struck);
        }
        stop();
        expect(others.map(({ texts }) => texts)).toEqual(others.map(() => ["to all"]));
        expect((await processes[await serving()]!.state()).calls).toBe(1);
      } finally {
        await Promise.all(members.map(({ call }) => call?.hangUp()));
        await Promise.all(members.map((member) => member.close()));
      }
    },
    4 * LIMIT_MS,
  );
});

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error("it does not come");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
