/**
 * No nonce comes twice under a key: across processes, restarts and devices of one user, also where SSRCs come again
 * (RFC 7714 8.4). MIKEY_SAKKE_LONG=1 sends a million packets from each process.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { defined } from "../../base/defined.ts";
import { systemRandom, toHex } from "../../bindings/index.ts";
import {
  countedBlock,
  drawnBlocks,
  GroupMedia,
  type IndexBlock,
  MAX_DEVICE,
  type UnprotectedRtp,
} from "../../bindings/media/index.ts";
import { ReservedBlocks } from "../../roles/client/calls/index.ts";
import { MemoryStorage } from "../../roles/identity/index.ts";
import { ALICE } from "../support/names.ts";
import type { SpeakerJob } from "./children/speaker.ts";
import { gmkOf, rtcp, rtp } from "./packets.ts";

const LONG = process.env.MIKEY_SAKKE_LONG === "1";
const CALLS = LONG ? 1000 : 10;
const PACKETS = 1000;
const MESSAGES = LONG ? 400 : 300;
const SPEAKER = fileURLToPath(new URL("children/speaker.ts", import.meta.url));

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "nonces-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function start(job: SpeakerJob): ChildProcess {
  const child = spawn(process.execPath, ["--import", "tsx", SPEAKER, JSON.stringify(job)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** Reads records of ten octets and counts them, and those that occurred before. */
function repeats(paths: readonly string[]): { count: number; repeated: number } {
  const seen = new Map<number, Set<number>>();
  let [count, repeated] = [0, 0];
  for (const path of paths) {
    const octets = readFileSync(path);
    for (let at = 0; at + 10 <= octets.length; at += 10) {
      const ssrc = octets.readUInt32BE(at);
      const index = octets.readUIntBE(at + 4, 6);
      const those = seen.get(ssrc) ?? new Set();
      seen.set(ssrc, those);
      if (those.has(index)) repeated++;
      those.add(index);
      count++;
    }
  }
  return { count, repeated };
}

describe("two processes of one user under one GMK", () => {
  it.each([
    ["with one storage", { shared: true }, 7],
    ["with a storage each and numbers of their own", { devices: true }, 7],
    ["without a storage", {}, undefined],
  ] as const)("%s use no nonce twice", { timeout: LONG ? 3_600_000 : 120_000 }, async (_, how, ssrc) => {
    const place = folder();
    const key = toHex(systemRandom(16));
    const rand = toHex(systemRandom(16));
    const jobs = [1, 2].map(
      (device): SpeakerJob => ({
        key,
        rand,
        srtp: join(place, `srtp-${device}`),
        srtcp: join(place, `srtcp-${device}`),
        ...("shared" in how && { store: join(place, "store") }),
        ...("devices" in how && { store: join(place, `store-${device}`), device }),
        // All calls of both have one SSRC, where a draw would need luck for that.
        ...defined({ ssrc }),
        calls: CALLS,
        packets: PACKETS,
        messages: MESSAGES,
      }),
    );
    const codes = await Promise.all(jobs.map(async (job) => (await once(start(job), "exit"))[0]));
    expect(codes).toEqual([0, 0]);
    expect(repeats(jobs.map(({ srtp }) => srtp))).toEqual({ count: 2 * CALLS * PACKETS, repeated: 0 });
    expect(repeats(jobs.map(({ srtcp }) => srtcp))).toEqual({ count: 2 * CALLS * MESSAGES, repeated: 0 });
  });

  it("use no nonce twice when killed again and again at any moment", {
    timeout: 300_000,
  }, async () => {
    const place = folder();
    const [srtp, srtcp] = [join(place, "srtp"), join(place, "srtcp")];
    const job: SpeakerJob = {
      key: toHex(systemRandom(16)),
      rand: toHex(systemRandom(16)),
      srtp,
      srtcp,
      store: join(place, "store"),
      ssrc: 7,
      calls: 1_000_000,
      packets: 3,
      messages: 2,
    };
    const sent = () => (existsSync(srtcp) ? readFileSync(srtcp).length : 0);
    for (let kills = 0; kills < (LONG ? 100 : 6); kills++) {
      const child = start(job);
      const before = sent();
      while (sent() === before) await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 50));
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    const [media, control] = [repeats([srtp]), repeats([srtcp])];
    expect(media.count).toBeGreaterThan(6);
    expect([media.repeated, control.repeated]).toEqual([0, 0]);
  });
});

describe("blocks of packet indexes", () => {
  const overlap = (a: IndexBlock, b: IndexBlock) => a.first < b.end && b.first < a.end;

  it.each([
    ["roc", 2 ** 31, 2 ** 32],
    ["srtcp", 2 ** 30, 2 ** 31],
  ] as const)(
    "for %s are disjoint by device and number, and counted blocks from drawn ones",
    (kind, half, all) => {
      const counted = [0, 1, 2, MAX_DEVICE].flatMap((device) =>
        [0, 1, 2, 1000, 65_535].map((number) => countedBlock(kind, { device }, number)),
      );
      for (const [i, block] of counted.entries()) {
        expect(block.end).toBeLessThanOrEqual(half);
        for (const other of counted.slice(i + 1)) expect(overlap(block, other)).toBe(false);
      }
      for (const number of [0, 5, 2 ** 25]) {
        const { first, end } = countedBlock(kind, { drawn: 0xffffffff }, number);
        expect(first >= 0 && end <= half).toBe(true);
      }
      const extremes = [0x00, 0xff].map((octet) => (length: number) => new Uint8Array(length).fill(octet));
      for (const random of extremes) {
        const drawn = drawnBlocks(random).take(kind) as IndexBlock;
        expect(drawn.first).toBeGreaterThanOrEqual(half);
        expect(drawn.end).toBeLessThanOrEqual(all);
        const ofDevices = [0, 1, MAX_DEVICE].map(
          (device) => drawnBlocks(random, device).take(kind) as IndexBlock,
        );
        expect(ofDevices.some((a, i) => ofDevices.slice(i + 1).some((b) => overlap(a, b)))).toBe(false);
        expect(ofDevices.every(({ first, end }) => first >= half && end <= all)).toBe(true);
      }
    },
  );

  it("have one owner each, however many processes ask at a time", async () => {
    const storage = new MemoryStorage();
    const processes = Array.from({ length: 10 }, () => new ReservedBlocks(storage, { userUri: ALICE }));
    const blocks: IndexBlock[] = [];
    for (let round = 0; round < 5; round++) {
      blocks.push(...(await Promise.all(processes.flatMap((one) => [one.take("roc"), one.take("roc")]))));
    }
    expect(new Set(blocks.map(({ first }) => first)).size).toBe(100);
    // Blocks that are used up are deleted.
    expect((await storage.list("")).length).toBeLessThan(60);
    for (const device of [-1, 64, 1.5]) {
      expect(() => new ReservedBlocks(storage, { userUri: ALICE, device })).toThrow(
        expect.objectContaining({ code: "BAD_DEVICE" }),
      );
    }
  });

  it("are drawn at random when the storage fails, so that a full disk silences nobody", async () => {
    const storage = new MemoryStorage();
    storage.create = async () => {
      throw new Error("ENOSPC");
    };
    const blocks = new ReservedBlocks(storage, { userUri: ALICE });
    const { first } = await blocks.take("roc");
    expect(first).toBeGreaterThanOrEqual(2 ** 31);
  });
});

describe("a stream at the end of its block of indexes", () => {
  const [alice, bob] = gmkOf(0x0123456, [ALICE, "sip:bob@home.example"]);
  const ends = (blocks: ReservedBlocks) => {
    const media = [alice!, bob!].map(
      (key) =>
        new GroupMedia({ keys: { sending: () => key, receiving: () => key }, service: "mcptt", blocks }),
    );
    return { sender: media[0]!.sender(), end: media[1]! };
  };
  /** So many packets, each further than a stream without loss would go: a block is over after 140. */
  const STEP = 30_000;
  const send = async ({ sender, end }: ReturnType<typeof ends>, from: number, count: number) => {
    const indexes: number[] = [];
    for (let n = from; n < from + count; n++) {
      const packet = await sender.protect(rtp(sender.ssrc, (n * STEP) & 0xffff, new Uint8Array(1)));
      const taken = (await end.receive(packet)) as UnprotectedRtp;
      expect(taken.ok).toBe(true);
      indexes.push(taken.index);
    }
    return indexes;
  };

  it("goes on into the next block without a jump, and is heard by a latecomer", async () => {
    const call = ends(new ReservedBlocks(new MemoryStorage(), { userUri: ALICE }));
    const indexes = await send(call, 0, 400);
    expect(indexes.every((index, n) => n === 0 || index === indexes[n - 1]! + STEP)).toBe(true);
    const { end } = ends(new ReservedBlocks(new MemoryStorage(), { userUri: ALICE }));
    const late = await send({ sender: call.sender, end }, 400, 1);
    expect(late).toEqual([indexes.at(-1)! + STEP]);
  });

  it("ends with an error where the next block has another owner, before a nonce could repeat", async () => {
    const blocks = new ReservedBlocks(new MemoryStorage(), { userUri: ALICE });
    const call = ends(blocks);
    await send(call, 0, 10);
    await send(ends(blocks), 0, 10);
    await expect(send(call, 10, 200)).rejects.toMatchObject({ code: "INDEXES_EXHAUSTED" });
  });

  it("sends floor control on under later blocks, in order", async () => {
    const blocks = new ReservedBlocks(new MemoryStorage(), { userUri: ALICE });
    const [one, two] = [ends(blocks), ends(blocks)];
    const seen = new Set<number>();
    let last = -1;
    for (let n = 0; n < 600; n++) {
      for (const { sender, end } of [one, two]) {
        const packet = await sender.protectRtcp(rtcp(sender.ssrc, new Uint8Array(4)));
        const taken = await end.receiveRtcp(packet);
        if (!taken.ok) throw new Error(taken.fault);
        expect(seen.has(taken.index)).toBe(false);
        seen.add(taken.index);
        if (sender === one.sender) {
          expect(taken.index).toBeGreaterThan(last);
          last = taken.index;
        }
      }
    }
  });
});
