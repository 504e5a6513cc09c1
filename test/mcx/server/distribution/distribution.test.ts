/** 200 members on sockets of their own, eight of whom talk at once, and a server that has no key (TS 33.180 4.3.5.2). */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type DeliveredKey, load, systemRandom, toHex, utf8 } from "../../../../bindings/index.ts";
import {
  GroupMedia,
  type GroupMediaSender,
  type MediaRefusal,
  rtpPayload,
  type UnprotectedRtp,
  writeRtpPacket,
} from "../../../../bindings/media/index.ts";
import type { McxPrivateCall } from "../../../../roles/client/mcx/index.ts";
import type { DatagramPort } from "../../../../transport/datagram/ports.ts";
import { openUdpPort } from "../../../../transport/datagram/udp-node.ts";
import { gmkOf } from "../../../media/packets.ts";
import { freePort } from "../../../support/free-port.ts";
import { foundInMemory } from "../../../support/process-memory.ts";
import { HOME_KMS, makeKms } from "../../../support/world.ts";
import { openDevice } from "../../signalling/device.ts";
import { takeFloor, talk } from "../../signalling/floor.ts";
import { until } from "../../signalling/mcx-server.ts";
import { clientKeysOf, GROUP, NAMES } from "../../signalling/parts.ts";
import { mikeyIn, pckOf } from "../../signalling/private-call.ts";
import type { Order } from "./relay-process.ts";

const MEMBERS = 200;
const TALKERS = 8;
const ROUNDS = 25;
const HOST = "127.0.0.1";
const PATIENCE_MS = 20_000;

class Member {
  readonly uri: string;
  readonly port: DatagramPort;
  readonly media: GroupMedia;
  /** Decrypted, by what they say. */
  readonly heard = new Map<string, number>();
  readonly refused: Record<string, number> = {};
  count = 0;
  #sender: GroupMediaSender | undefined;

  constructor(uri: string, port: DatagramPort, key: DeliveredKey) {
    this.uri = uri;
    this.port = port;
    const receiving = (gmkId: number) => (gmkId === key.keyId ? key : undefined);
    this.media = new GroupMedia({ keys: { sending: () => key, receiving }, service: "mcptt" });
    port.receive((packet) => this.#take(this.media.receive(packet) as UnprotectedRtp | MediaRefusal));
  }

  talk(round: number, to: DatagramPort["address"]): void {
    this.#sender ??= this.media.sender();
    const { ssrc } = this.#sender;
    const fields = {
      marker: round === 0,
      payloadType: 8,
      sequenceNumber: 65_530 + round,
      timestamp: 160 * round,
      ssrc,
    };
    fields.sequenceNumber &= 0xffff;
    const sealed = this.#sender.protect(writeRtpPacket(fields, utf8(wordsOf(this.uri, round)))) as Uint8Array;
    this.port.send(sealed, to, (failed) => expect(failed).toBe(false));
  }

  #take(result: UnprotectedRtp | MediaRefusal): void {
    this.count++;
    if (!result.ok) {
      this.refused[result.fault] = (this.refused[result.fault] ?? 0) + 1;
      return;
    }
    const words = new TextDecoder().decode(rtpPayload(result.packet, result.header)!);
    this.heard.set(words, (this.heard.get(words) ?? 0) + 1);
  }
}

const wordsOf = (uri: string, round: number) => `${uri} says ${round}`.padEnd(160, ".");

describe("a relaying server with 200 members of whom eight talk at once", () => {
  const uris = Array.from({ length: MEMBERS }, (_, i) => `sip:member${i + 1}@home.example`);
  // The last one was removed: the others have a new key, and the server knows nothing of it yet.
  const old = gmkOf(0x0111111, uris);
  const fresh = gmkOf(0x0222222, uris.slice(0, -1));
  const members: Member[] = [];
  let server: ChildProcess;
  let address: DatagramPort["address"];

  const order = async (what: Order) => {
    server.send(what);
    await once(server, "message");
  };

  beforeAll(async () => {
    const source = fileURLToPath(new URL("relay-process.ts", import.meta.url));
    server = fork(source, { execArgv: ["--import", "tsx"] });
    const [{ port }] = (await once(server, "message")) as [{ port: number }];
    address = { host: HOST, port };
    for (const [i, uri] of uris.entries()) {
      members.push(new Member(uri, await openUdpPort({ host: HOST }), fresh[i] ?? old[i]!));
    }
    await order({ legs: members.map(({ uri, port: own }) => ({ id: uri, port: own.address.port })) });
  });

  afterAll(async () => {
    server.disconnect();
    await Promise.all(members.map(({ port }) => port.close()));
  });

  it("brings every packet to every listener, who decrypts it; the removed member decrypts none", async () => {
    const talkers = members.slice(0, TALKERS);
    const isHere = (rounds: number) =>
      members.every(({ count }, i) => count >= rounds * (i < TALKERS ? TALKERS - 1 : TALKERS));
    const until = performance.now() + PATIENCE_MS;
    for (let round = 0; round < ROUNDS; round++) {
      for (const talker of talkers) talker.talk(round, address);
      while (!isHere(round + 1) && performance.now() < until)
        await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const said = talkers.map(({ uri }) => Array.from({ length: ROUNDS }, (_, round) => wordsOf(uri, round)));
    for (const [i, { heard, refused }] of members.slice(0, -1).entries()) {
      const others = said.filter((_, talker) => talker !== i).flat();
      expect([...heard.keys()].sort()).toEqual([...others].sort());
      expect([...heard.values()].every((times) => times === 1)).toBe(true);
      expect(refused).toEqual({});
    }
    const removed = members.at(-1)!;
    expect(removed.heard.size).toBe(0);
    expect(removed.refused).toEqual({ "unknown-key": TALKERS * ROUNDS });
  });

  it.runIf(process.platform === "linux")(
    "has no group key in its memory, nor a key derived from it",
    async () => {
      const marks = [systemRandom(16)];
      await order({ keep: toHex(marks[0]!) });
      const gmk = fresh[0]!.reveal();
      const masters = fresh.slice(0, TALKERS).flatMap((key) => {
        const { key: master, salt } = key.srtpMaster(4);
        return [master, salt];
      });
      const texts = [toHex(gmk), Buffer.from(gmk).toString("base64").slice(0, 22)].map((text) =>
        Buffer.from(text),
      );
      const found = foundInMemory(server.pid!, [gmk, ...texts, ...masters, ...marks]);
      // The search finds what is there.
      expect(found).toEqual(marks);
    },
  );
});

describe("a whole server with a call, a private call and short data", () => {
  const HIDDEN = "units to the north gate, quietly";

  it.runIf(process.platform === "linux")(
    "has no key of group or private call in its memory and its store, nor the speech",
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "mcx-"));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const source = fileURLToPath(new URL("server-process.ts", import.meta.url));
      const store = join(folder, "store");
      const port = await freePort(HOST);
      const server = fork(source, [store, String(port)], { execArgv: ["--import", "tsx"] });
      onTestFinished(() => void server.kill("SIGKILL"));
      await once(server, "message");
      const held = gmkOf(0x0333333, NAMES);
      const core = await load();
      const kms = makeKms(core, HOME_KMS);
      const texts: string[] = [];
      const taken: McxPrivateCall[] = [];
      const got: Uint8Array[] = [];
      const devices = await Promise.all(
        NAMES.map((user, i) =>
          openDevice({
            user,
            kms,
            key: held[i]!,
            server: `sip:${HOST}:${port}`,
            texts,
            incoming: (octets) => got.push(octets),
            onPrivateCall: () => ({ onBegin: (placed) => taken.push(placed) }),
          }),
        ),
      );
      const calls = await Promise.all(devices.map(({ client }) => client.call(GROUP)));
      const [alice, ...others] = calls.map(({ call }) => call);
      await talk(alice!, [], 25);
      await until(() => others.every(({ counters }) => counters.media.received === 25));
      await devices[0]!.client.send(GROUP, [{ contentType: 1, data: utf8(HIDDEN) }]);
      await until(() => texts.length === 2);
      expect(texts).toEqual([HIDDEN, HIDDEN]);
      const placed = await devices[0]!.client.callUser(NAMES[1]!);
      await until(() => taken.length === 1);
      await takeFloor(placed.call);
      await placed.call.send(new Int16Array(160).fill(1000));
      await until(() => taken[0]!.call.counters.media.received === 1);
      const pck = await pckOf(mikeyIn(got), clientKeysOf(kms, NAMES[1]!).receiver);
      const mark = systemRandom(16);
      server.send({ keep: toHex(mark) });
      const [{ totals }] = (await once(server, "message")) as [{ totals: Record<string, number> }];
      expect(totals).toMatchObject({ forwarded: 26, mixed: 0, mcdata_brought: 2 });

      const gmk = held[0]!.reveal();
      const { key, salt } = held[0]!.srtpMaster(4);
      const sides = [0, 1].map((csId) => pck.srtpMaster(csId).key);
      const octets = [gmk, key, salt, held[0]!.dpck(), pck.reveal(), ...sides];
      const secrets = [...octets, ...octets.map((one) => Buffer.from(toHex(one))), Buffer.from(HIDDEN)];
      expect(foundInMemory(server.pid!, [...secrets, mark])).toEqual([mark]);
      for (const name of readdirSync(store)) {
        const content = readFileSync(join(store, name));
        expect(secrets.filter((secret) => content.indexOf(secret) >= 0)).toEqual([]);
      }
      for (const { close } of devices) await close();
      core.destroy();
    },
  );
});
