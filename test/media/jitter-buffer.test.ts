/** Order, bounds, pace and delay of the jitter buffer; sums of samples; RTP packets of a sender. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  drawControlSsrc,
  isServerSsrc,
  JitterBuffer,
  mixFrames,
  readRtpHeader,
  rtpPayload,
  writeRtpPacket,
} from "../../bindings/media/index.ts";

const pullAll = (buffer: JitterBuffer<number>, steps: number) =>
  Array.from({ length: steps }, () => {
    const played = buffer.pull();
    return typeof played === "string" ? played : played.frame;
  });

describe("the jitter buffer", () => {
  it("puts frames in order, and tells which are missing", () => {
    const buffer = new JitterBuffer<number>();
    for (const index of [3, 1, 2, 6, 5]) expect(buffer.push(index, index)).toBe(true);
    expect(pullAll(buffer, 7)).toEqual([1, 2, 3, "lost", 5, 6, "nothing"]);
  });

  it("takes no frame twice and none that comes too late", () => {
    const buffer = new JitterBuffer<number>({ target: 1 });
    buffer.push(10, 10);
    expect(buffer.push(10, 0)).toBe(false);
    expect(pullAll(buffer, 1)).toEqual([10]);
    expect(buffer.push(10, 0)).toBe(false);
    expect(buffer.push(9, 0)).toBe(false);
    expect(buffer.push(11, 11)).toBe(true);
  });

  it("holds even a short burst back at its start, but not for ever", () => {
    const buffer = new JitterBuffer<number>({ target: 3 });
    buffer.push(1, 1);
    expect(pullAll(buffer, 4)).toEqual(["nothing", "nothing", "nothing", 1]);
    const full = new JitterBuffer<number>({ target: 2 });
    full.push(1, 1);
    full.push(2, 2);
    expect(pullAll(full, 2)).toEqual([1, 2]);
  });

  it("waits for a delayed frame, and holds the next burst back again", () => {
    const buffer = new JitterBuffer<number>({ target: 2 });
    buffer.push(1, 1);
    buffer.push(2, 2);
    expect(pullAll(buffer, 3)).toEqual([1, 2, "nothing"]);
    buffer.push(3, 3);
    expect(pullAll(buffer, 4)).toEqual([3, "nothing", "nothing", "nothing"]);
    buffer.push(4, 4);
    expect(pullAll(buffer, 3)).toEqual(["nothing", "nothing", 4]);
    expect(buffer.push(3, 3)).toBe(false);
  });

  it("never holds more than its capacity, whatever comes", () => {
    const buffer = new JitterBuffer<number>({ target: 2, capacity: 8 });
    let index = 0;
    for (let i = 0; i < 5000; i++) {
      index += (i * 7919) % 13 === 0 ? 2 ** 20 : ((i * 31) % 5) - 1;
      buffer.push(Math.max(index, 0), i);
      expect(buffer.size).toBeLessThanOrEqual(8);
      if (i % 9 === 0) buffer.pull();
    }
    expect(buffer.size).toBeGreaterThan(0);
  });

  it("goes on with the newest frames after too many came at once", () => {
    const buffer = new JitterBuffer<number>({ target: 1, capacity: 4 });
    buffer.push(1, 1);
    expect(pullAll(buffer, 1)).toEqual([1]);
    for (let index = 2; index < 12; index++) buffer.push(index, index);
    expect(pullAll(buffer, 5)).toEqual([8, 9, 10, 11, "nothing"]);
  });
});

const STEPS_A_SECOND = 50;

/** A frame is said at each step and played at each; on the way each takes its time, which overtaking does not shorten. */
class Stream {
  readonly buffer: JitterBuffer<number>;
  readonly played: ReturnType<JitterBuffer<number>["pull"]>[] = [];
  #step = 0;
  #onTheWay: { readonly index: number; readonly arrival: number }[] = [];

  constructor(...options: ConstructorParameters<typeof JitterBuffer<number>>) {
    this.buffer = new JitterBuffer(...options);
  }

  /** Steps held back: frames between the one that is played next and the newest. */
  get delay(): number {
    return this.buffer.size;
  }

  /** `delayOf`: steps that the frame said at this step takes. `isPlaying`: false for a step that play-out leaves out. */
  run(steps: number, delayOf: (step: number) => number = () => 0, isPlaying = true): void {
    for (const end = this.#step + steps; this.#step < end; this.#step++) {
      this.#onTheWay.push({ index: this.#step, arrival: this.#step + delayOf(this.#step) });
      const arrived = this.#onTheWay.filter(({ arrival }) => arrival <= this.#step);
      this.#onTheWay = this.#onTheWay.filter(({ arrival }) => arrival > this.#step);
      for (const { index } of arrived) this.buffer.push(index, index, this.#step - index);
      if (isPlaying) this.played.push(this.buffer.pull());
    }
  }

  framesOfLast(steps: number): number {
    return this.played.slice(-steps).filter((played) => typeof played !== "string").length;
  }
}

/** Frames said while the way is blocked come all at once when it is free again. */
const blocked = (from: number, steps: number) => (step: number) =>
  step >= from && step < from + steps ? from + steps - step : 0;

describe("the delay of a jitter buffer", () => {
  it.each([
    ["of the network", 8, true],
    ["of the play-out", 8, false],
    ["of the network that fills the buffer", 20, true],
    ["of the play-out that fills the buffer", 20, false],
  ])("is back two seconds after a stall %s (%i steps)", (_, steps, ofNetwork) => {
    const stream = new Stream();
    stream.run(STEPS_A_SECOND);
    const before = stream.delay;
    expect(before).toBe(2);
    if (ofNetwork) stream.run(steps + 1, blocked(STEPS_A_SECOND, steps));
    else stream.run(steps, undefined, false);
    expect(stream.delay).toBeGreaterThanOrEqual(8 - 1);
    stream.run(2 * STEPS_A_SECOND);
    expect(stream.delay).toBe(before);
    // At most one frame in five is left out, and nothing is heard twice or late.
    expect(stream.framesOfLast(2 * STEPS_A_SECOND)).toBe(2 * STEPS_A_SECOND);
    expect(stream.buffer.counters.late).toBe(0);
  });

  it("is given back a frame at a time, none within a tenth of a second of another", () => {
    const stream = new Stream();
    stream.run(STEPS_A_SECOND);
    stream.run(16, undefined, false);
    const dropped: number[] = [];
    for (let step = 0; step < 2 * STEPS_A_SECOND; step++) {
      const before = stream.buffer.counters.dropped;
      stream.run(1);
      const after = stream.buffer.counters.dropped;
      expect(after - before).toBeLessThanOrEqual(1);
      if (after > before) dropped.push(step);
    }
    expect(dropped.length).toBeGreaterThan(5);
    // The first steps overflow.
    const gaps = dropped.slice(1).map((step, i) => step - dropped[i]!);
    expect(Math.min(...gaps.slice(1))).toBeGreaterThanOrEqual(5);
  });

  it("is given back at once in silence", () => {
    const isSilent = (index: number) => index >= 48;
    const stream = new Stream({ isSilent });
    stream.run(STEPS_A_SECOND);
    stream.run(8, undefined, false);
    stream.run(9);
    expect(stream.delay).toBeLessThanOrEqual(3);
  });

  it("follows jitter, so that frames delayed by up to five steps are played, and shrinks when the jitter is over", () => {
    const stream = new Stream();
    const uneven = (step: number) => [0, 5, 1, 4, 2, 3, 5, 0][step % 8]!;
    stream.run(4 * STEPS_A_SECOND, uneven);
    expect(stream.buffer.target).toBeGreaterThan(5);
    const before = stream.buffer.counters;
    stream.run(4 * STEPS_A_SECOND, uneven);
    const after = stream.buffer.counters;
    expect(after.late + after.lost).toBe(before.late + before.lost);
    stream.run(2 * STEPS_A_SECOND);
    expect(stream.buffer.target).toBe(3);
    expect(stream.delay).toBe(2);
  });

  it("does not grow without end for a frame that is lost", () => {
    const buffer = new JitterBuffer<number>();
    for (const index of [1, 2, 3, 5]) buffer.push(index, index);
    expect(pullAll(buffer, 6)).toEqual([1, 2, 3, "nothing", "lost", 5]);
  });

  it("is not led astray by a sender whose clock jumps", () => {
    const buffer = new JitterBuffer<number>();
    for (let index = 0; index < 100; index++) buffer.push(index, index, index === 50 ? 1e9 : 0);
    expect(buffer.target).toBeLessThanOrEqual(12);
    for (let index = 100; index < 200; index++) buffer.push(index, index, 0);
    expect(buffer.target).toBe(3);
  });
});

describe("the frames of a jitter buffer", () => {
  const options = fc.record({
    target: fc.integer({ min: 1, max: 6 }),
    capacity: fc.integer({ min: 1, max: 20 }),
  });
  const step = fc.oneof(
    fc.record({
      push: fc.integer({ min: 0, max: 60 }),
      transit: fc.double({ min: -40, max: 40, noNaN: true }),
    }),
    fc.record({ jump: fc.integer({ min: 0, max: 100_000 }) }),
    fc.constant("pull" as const),
  );

  it("are each played once, late, duplicate, dropped or still there, whatever comes when", () => {
    fc.assert(
      fc.property(options, fc.array(step, { maxLength: 300 }), ({ target, capacity }, steps) => {
        const buffer = new JitterBuffer<number>({ target, capacity, isSilent: (frame) => frame % 3 === 0 });
        let [base, pushed, last] = [0, 0, -1];
        for (const one of steps) {
          if (one === "pull") {
            const played = buffer.pull();
            if (typeof played === "string") continue;
            expect(played.frame).toBeGreaterThan(last);
            last = played.frame;
          } else if ("jump" in one) base += one.jump;
          else {
            buffer.push(base + one.push, base + one.push, one.transit);
            pushed++;
          }
          expect(buffer.size).toBeLessThanOrEqual(Math.max(capacity, target));
          expect(buffer.target).toBeLessThanOrEqual(Math.max(capacity, target));
          const { played, late, duplicate, dropped } = buffer.counters;
          expect(played + late + duplicate + dropped + buffer.size).toBe(pushed);
        }
      }),
    );
  });
});

describe("mixing", () => {
  it("adds samples, and stops at the largest sample", () => {
    const sum = mixFrames([Int16Array.of(1, 30_000, -30_000), Int16Array.of(2, 30_000, -30_000, 5)], 4);
    expect([...sum]).toEqual([3, 32_767, -32_768, 5]);
    expect([...mixFrames([], 2)]).toEqual([0, 0]);
  });
});

describe("RTP packets", () => {
  it("are read as they were written", () => {
    const fields = {
      marker: true,
      payloadType: 8,
      sequenceNumber: 65_535,
      timestamp: 0xfffffff0,
      ssrc: 0xdeadbeef,
    };
    const packet = writeRtpPacket(fields, Uint8Array.of(1, 2, 3));
    const header = readRtpHeader(packet)!;
    expect(header).toEqual({ ...fields, length: 12 });
    expect(rtpPayload(packet, header)).toEqual(Uint8Array.of(1, 2, 3));
  });

  it("lose their padding, which must fit", () => {
    const fields = { marker: false, payloadType: 0, sequenceNumber: 1, timestamp: 0, ssrc: 1 };
    const padded = (...payload: number[]) => {
      const packet = writeRtpPacket(fields, Uint8Array.from(payload));
      packet[0]! |= 0x20;
      return rtpPayload(packet, readRtpHeader(packet)!);
    };
    expect(padded(9, 8, 0, 2)).toEqual(Uint8Array.of(9, 8));
    expect(padded(9, 8, 0, 5)).toBeUndefined();
    expect(padded(9, 0)).toBeUndefined();
  });
});

describe("the SSRCs of control signalling", () => {
  it("of a server are never those of a client", () => {
    for (const fill of [0x00, 0x7f, 0x80, 0xff]) {
      const random = (length: number) => new Uint8Array(length).fill(fill);
      expect(isServerSsrc(drawControlSsrc("server", random))).toBe(true);
      expect(isServerSsrc(drawControlSsrc("client", random))).toBe(false);
    }
  });
});
