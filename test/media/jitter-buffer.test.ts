/** Order, bounds and pace of the jitter buffer; sums of samples; RTP packets of a sender. */
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

describe("jitter buffer", () => {
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

  it("holds a burst back at its start, also a short one, but not for ever", () => {
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

describe("mixing", () => {
  it("adds, and stops at the largest sample", () => {
    const sum = mixFrames([Int16Array.of(1, 30_000, -30_000), Int16Array.of(2, 30_000, -30_000, 5)], 4);
    expect([...sum]).toEqual([3, 32_767, -32_768, 5]);
    expect([...mixFrames([], 2)]).toEqual([0, 0]);
  });
});

describe("RTP packets", () => {
  it("read back as they were written", () => {
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

describe("SSRCs of control signalling", () => {
  it("of a server are never those of a client", () => {
    for (const fill of [0x00, 0x7f, 0x80, 0xff]) {
      const random = (length: number) => new Uint8Array(length).fill(fill);
      expect(isServerSsrc(drawControlSsrc("server", random))).toBe(true);
      expect(isServerSsrc(drawControlSsrc("client", random))).toBe(false);
    }
  });
});
