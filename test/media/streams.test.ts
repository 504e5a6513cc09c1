/** Tests what SRTP and SRTCP refuse, and that a refusal changes nothing (RFC 3711 3.3, RFC 7714 8 and 9, RFC 4771). */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defined } from "../../base/defined.ts";
import { systemRandom } from "../../bindings/index.ts";
import { SrtcpReceiver, SrtcpSender, SrtpReceiver, SrtpSender } from "../../bindings/media/index.ts";
import { guessIndex, ReplayWindow } from "../../bindings/media/packet-index.ts";
import { SRTP_LABELS } from "../../bindings/media/session-keys.ts";
import { Streams } from "../../bindings/media/streams.ts";
import { rtcp, rtp, text } from "./packets.ts";

const MASTER = { key: systemRandom(16), salt: systemRandom(12) };
const MKI = Uint8Array.of(1, 2, 3, 4);
const master = () => ({ key: MASTER.key.slice(), salt: MASTER.salt.slice() });
const resolve = (mki: Uint8Array) => (mki.every((octet, i) => octet === MKI[i]) ? master() : undefined);
const ROC = { rate: 1 };

const sender = (options: { ssrc?: number; firstRoc?: number; roc?: { rate: number } } = {}) =>
  SrtpSender.create(master(), { ssrc: 1, mki: MKI, roc: undefined, ...options });
const receiver = (options: { roc?: { rate: number }; maxStreams?: number } = {}) =>
  new SrtpReceiver({ mkiBytes: 4, roc: undefined, resolve, ...options });

describe("the keys of a stream", () => {
  it("are let go when the stream is pruned, while its SSRC is still known", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const streams = new Streams({ resolve }, SRTP_LABELS);
    const entered = async () => {
      const stream = (await streams.find(MKI, 1))!;
      expect(streams.admit(MKI, 1, stream, 7)).toBe(undefined);
      return new WeakRef(stream.keys);
    };
    const keys = await entered();
    const areHeld = () => {
      collect();
      return keys.deref() !== undefined;
    };
    await expect.poll(areHeld).toBe(true);
    streams.prune(() => false);
    await expect.poll(areHeld).toBe(false);
    expect((await streams.find(MKI, 1))!.before).toBe(7);
  });
});

describe("SRTP", () => {
  it("refuses any changed octet, then accepts the unchanged packet", async () => {
    const packet = await (await sender({ roc: ROC })).protect(rtp(1, 4, text("some words")));
    const end = receiver({ roc: ROC });
    for (let at = 0; at < packet.length; at++) {
      const changed = packet.slice();
      changed[at]! ^= 1 << (at % 8);
      const result = await end.unprotect(changed);
      expect(result, `octet ${at}`).toMatchObject({ ok: false });
    }
    for (let length = 0; length < packet.length; length++) {
      expect((await end.unprotect(packet.subarray(0, length))).ok).toBe(false);
    }
    expect(end.streams).toBe(0);
    expect((await end.unprotect(packet)).ok).toBe(true);
    expect(await end.unprotect(packet)).toEqual({ ok: false, fault: "replayed" });
  });

  it.each([
    ["kept", [1, 1]],
    ["that ended for another of its sender, and began again", [1, 2, 1]],
  ] as const)("has no key for a pruned stream %s", async (_, ssrcs) => {
    let known = true;
    const end = new SrtpReceiver({
      mkiBytes: 4,
      roc: undefined,
      resolve: (mki) => (known ? resolve(mki) : undefined),
      maxStreamsOfSender: 1,
    });
    const senders = new Map([1, 2].map((ssrc) => [ssrc, sender({ ssrc })]));
    const packet = async (ssrc: number, seq: number) =>
      (await senders.get(ssrc)!).protect(rtp(ssrc, seq, text("x")));
    for (const [seq, ssrc] of ssrcs.entries()) {
      expect((await end.unprotect(await packet(ssrc, seq))).ok).toBe(true);
    }
    expect(end.streams).toBe(1);
    known = false;
    end.prune(() => false);
    expect(end.streams).toBe(0);
    expect(await end.unprotect(await packet(1, 9))).toEqual({ ok: false, fault: "unknown-key" });
  });

  describe("of a stream whose key changes", () => {
    const NEXT = Uint8Array.of(9, 9, 9, 9);
    const nextKey = () => ({ key: new Uint8Array(16).fill(7), salt: new Uint8Array(12).fill(8) });
    const resolveBoth = (mki: Uint8Array) => (mki[0] === 9 ? nextKey() : master());

    it.each([undefined, 1, 2, 50, 100, 256])(
      "goes on counting, with a ROC in every packet of %s",
      async (rate) => {
        const roc = rate === undefined ? undefined : { rate };
        const before = await sender(defined({ roc }));
        const end = new SrtpReceiver({ mkiBytes: 4, roc, resolve: resolveBoth });
        for (const seq of [65_500, 65_535, 0, 1]) {
          expect((await end.unprotect(await before.protect(rtp(1, seq, text("x"))))).ok).toBe(true);
        }
        expect(before.roc).toBe(1);
        const after = await SrtpSender.create(nextKey(), { ssrc: 1, mki: NEXT, roc, firstRoc: before.roc });
        for (let seq = 3; seq < 603; seq++) {
          expect((await end.unprotect(await after.protect(rtp(1, seq, text("x"))))).ok, String(seq)).toBe(
            true,
          );
        }
        // A packet that was received under the key before is still known.
        expect(await end.unprotect(await (await sender()).protect(rtp(1, 65_500, text("x"))))).toMatchObject({
          ok: false,
        });
      },
    );

    it("begins at 0 for a sender who begins there, such as another sender with the same SSRC", async () => {
      const before = await sender();
      const end = new SrtpReceiver({ mkiBytes: 4, roc: undefined, resolve: resolveBoth });
      for (const seq of [65_500, 65_535, 0])
        await end.unprotect(await before.protect(rtp(1, seq, text("x"))));
      const other = await SrtpSender.create(nextKey(), { ssrc: 1, mki: NEXT, roc: undefined });
      for (const seq of [7, 8]) {
        expect((await end.unprotect(await other.protect(rtp(1, seq, text("x"))))).ok).toBe(true);
      }
    });
  });

  it("accepts each packet once, in any order within the window", async () => {
    const orders = fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { minLength: 20, maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(orders, async (order) => {
        const out = await sender();
        const packets: Uint8Array[] = [];
        for (let n = 0; n <= 400; n++) packets.push(await out.protect(rtp(1, n + 1, text("x"))));
        const end = receiver();
        for (const n of order) expect((await end.unprotect(packets[n]!)).ok).toBe(true);
        for (const n of order) {
          expect(await end.unprotect(packets[n]!)).toEqual({ ok: false, fault: "replayed" });
        }
      }),
      { numRuns: 10 },
    );
  });

  it("keeps step through a roll-over without ROC transport, and loses it after a long gap", async () => {
    const out = await sender();
    const end = receiver();
    for (const seq of [65_000, 65_535, 0, 1]) {
      expect((await end.unprotect(await out.protect(rtp(1, seq, text("x"))))).ok).toBe(true);
    }
    expect(out.roc).toBe(1);
    const far = await sender({ firstRoc: 3 });
    const later = await far.protect(rtp(1, 2, text("x")));
    expect(await end.unprotect(later)).toEqual({ ok: false, fault: "not-authentic" });
  });

  it("regains its step by the ROC that a packet carries", async () => {
    const end = receiver({ roc: ROC });
    expect((await end.unprotect(await (await sender({ roc: ROC })).protect(rtp(1, 1, text("x"))))).ok).toBe(
      true,
    );
    const far = await sender({ firstRoc: 70_000, roc: ROC });
    const later = await far.protect(rtp(1, 2, text("x")));
    expect(await end.unprotect(later)).toMatchObject({ ok: true, index: 70_000 * 65_536 + 2 });
  });

  it("reads the ROC only in the packets that carry it", async () => {
    const out = await sender({ roc: { rate: 4 }, firstRoc: 9 });
    const end = receiver({ roc: { rate: 4 } });
    const packets: Uint8Array[] = [];
    for (let seq = 1; seq <= 9; seq++) packets.push(await out.protect(rtp(1, seq, text("x"))));
    expect(packets.map(({ length }) => length - packets[0]!.length)).toEqual([0, 0, 0, 4, 0, 0, 0, 4, 0]);
    expect((await end.unprotect(packets[0]!)).ok).toBe(false);
    for (const packet of packets.slice(3)) expect((await end.unprotect(packet)).ok).toBe(true);
  });

  it("refuses to send a sequence number twice", async () => {
    const out = await sender();
    await out.protect(rtp(1, 10, text("x")));
    for (const seq of [10, 9]) {
      expect(() => out.protect(rtp(1, seq, text("x")))).toThrow(
        expect.objectContaining({ code: "SRTP_INDEX_USED" }),
      );
    }
    expect(() => out.protect(rtp(2, 11, text("x")))).toThrow(expect.objectContaining({ code: "OTHER_SSRC" }));
    expect(() => out.protect(text("no packet"))).toThrow(expect.objectContaining({ code: "BAD_RTP" }));
  });

  it("refuses to send after the last index of a key", async () => {
    const out = await sender({ firstRoc: 0xffffffff });
    await out.protect(rtp(1, 65_535, text("x")));
    expect(() => out.protect(rtp(1, 0, text("x")))).toThrow(
      expect.objectContaining({ code: "SRTP_KEY_EXHAUSTED" }),
    );
  });

  it("keeps a bounded number of streams, the last ones used, and nothing for forgeries", async () => {
    const end = receiver({ maxStreams: 2 });
    const senders = await Promise.all([1, 2, 3].map((ssrc) => sender({ ssrc })));
    const [packets, more] = [1, 2].map((n) =>
      senders.map((out) => out.protect(rtp(out.ssrc, n, text("x"))) as Uint8Array),
    );
    for (const packet of [...packets!, ...more!]) expect((await end.unprotect(packet)).ok).toBe(true);
    expect(end.streams).toBe(2);
    // Nothing comes again of what went to make room, and nothing from before it.
    for (const packet of [...packets!, ...more!]) {
      expect(await end.unprotect(packet)).toEqual({ ok: false, fault: "replayed" });
    }
    end.prune(() => false);
    expect(end.streams).toBe(0);
    const open = new SrtpReceiver({ mkiBytes: 4, roc: undefined, resolve: master });
    for (let n = 0; n < 500; n++) {
      const forged = rtp(n, n, systemRandom(40));
      expect(await open.unprotect(forged)).toEqual({ ok: false, fault: "not-authentic" });
    }
    expect(open.streams).toBe(0);
  });

  it("continues a stream that was evicted, and refuses packets from before", async () => {
    const end = receiver({ maxStreams: 1, roc: ROC });
    const [one, two] = [
      await sender({ ssrc: 1, roc: ROC, firstRoc: 9 }),
      await sender({ ssrc: 2, roc: ROC }),
    ];
    const early = one.protect(rtp(1, 5, text("x"))) as Uint8Array;
    for (let n = 10; n < 2000; n += 7) {
      expect((await end.unprotect(await one.protect(rtp(1, n, text("x"))))).ok).toBe(true);
      expect((await end.unprotect(await two.protect(rtp(2, n, text("x"))))).ok).toBe(true);
    }
    expect(await end.unprotect(early)).toEqual({ ok: false, fault: "replayed" });
  });

  it("drops any invalid packet without an error", async () => {
    const end = receiver({ roc: ROC });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (octets) => {
        expect((await end.unprotect(octets)).ok).toBe(false);
        octets[0] = 0x90;
        expect((await end.unprotect(octets)).ok).toBe(false);
      }),
    );
  });
});

describe("SRTCP", () => {
  const out = () => SrtcpSender.create(master(), { ssrc: 1, mki: MKI });

  it("refuses changed, cut, replayed and unencrypted packets", async () => {
    const packet = await (await out()).protect(rtcp(1, text("MCPTdata")));
    const end = new SrtcpReceiver({ mkiBytes: 4, resolve });
    for (let at = 0; at < packet.length; at++) {
      const changed = packet.slice();
      changed[at]! ^= 0x80;
      expect((await end.unprotect(changed)).ok, `octet ${at}`).toBe(false);
      expect((await end.unprotect(packet.subarray(0, at))).ok).toBe(false);
    }
    const clear = packet.slice();
    clear[packet.length - 8]! &= 0x7f;
    expect(await end.unprotect(clear)).toEqual({ ok: false, fault: "not-encrypted" });
    expect(end.streams).toBe(0);
    expect((await end.unprotect(packet)).ok).toBe(true);
    expect(await end.unprotect(packet)).toEqual({ ok: false, fault: "replayed" });
  });

  it("refuses to send after the last index of a key", async () => {
    const sending = await SrtcpSender.create(master(), { ssrc: 1, mki: MKI, lastIndex: 2 ** 31 - 2 });
    const packet = await sending.protect(rtcp(1, text("MCPT")));
    const end = new SrtcpReceiver({ mkiBytes: 4, resolve });
    expect(await end.unprotect(packet)).toMatchObject({ ok: true, index: 2 ** 31 - 1 });
    expect(() => sending.protect(rtcp(1, text("MCPT")))).toThrow(
      expect.objectContaining({ code: "SRTCP_KEY_EXHAUSTED" }),
    );
  });
});

describe("packet indexes", () => {
  it("are guessed as the nearest (RFC 3711 3.3.1)", () => {
    expect(guessIndex(65_535, 0)).toBe(65_536);
    expect(guessIndex(65_536, 65_535)).toBe(65_535);
    expect(guessIndex(100, 40_000)).toBeLessThan(0);
    expect(guessIndex(3 * 65_536 + 100, 32_868)).toBe(3 * 65_536 + 32_868);
    expect(guessIndex(3 * 65_536 + 100, 32_869)).toBe(2 * 65_536 + 32_869);
  });

  it("are accepted once each, as a set would do it", () => {
    const steps = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (indexes) => {
        const window = new ReplayWindow(64);
        const seen = new Set<number>();
        for (const index of indexes) {
          const isNew = !seen.has(index) && index > Math.max(-1, ...seen) - 64;
          expect(window.isNew(index)).toBe(isNew);
          if (!isNew) continue;
          window.enter(index);
          seen.add(index);
        }
      }),
    );
  });
});
