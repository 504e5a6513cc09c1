/** H.264 in RTP (RFC 6184), and its byte stream (Annex B). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  accessUnitsOf,
  H264_PAYLOAD_BYTES,
  H264Depacketiser,
  PacketOrder,
  packetiseH264,
  splitAnnexB,
  writeAnnexB,
} from "../../bindings/media/index.ts";

const [SLICE, IDR, SEI, SPS, PPS, DELIMITER] = [1, 5, 6, 7, 8, 9];
/** A unit of that type with the importance 3, whose second octet says that a slice is the first of its picture. */
const unit = (type: number, length = 4, second = 0x88) =>
  Uint8Array.from({ length }, (_, i) => (i === 0 ? 0x60 | type : i === 1 ? second : 1 + (i % 250)));

/** NAL units with octets of any kind, whose last one is not zero. */
const units = fc
  .tuple(fc.integer({ min: 1, max: 23 }), fc.uint8Array({ minLength: 1, maxLength: 5000 }))
  .map(([type, rest]) => Uint8Array.of(0x40 | type, ...rest.map((octet) => octet | 2)));

function unitsOf(payloads: readonly Uint8Array[], first = 0xfffe): Uint8Array[] {
  const receiver = new H264Depacketiser();
  return payloads.flatMap((payload, i) => receiver.take(payload, (first + i) & 0xffff));
}

describe("payloads of H.264", () => {
  it("give the units of which they were made, and none is longer than was asked for", () => {
    fc.assert(
      fc.property(fc.array(units, { maxLength: 6 }), fc.integer({ min: 3, max: 1400 }), (all, maxBytes) => {
        const payloads = packetiseH264(all, maxBytes);
        expect(payloads.every(({ length }) => length <= maxBytes)).toBe(true);
        expect(unitsOf(payloads)).toEqual(all);
      }),
    );
  });

  it("are the unit as it is, or fragments with the start in the first and the end in the last (5.6, 5.8)", () => {
    const short = unit(SPS, H264_PAYLOAD_BYTES);
    const long = unit(IDR, 3000);
    const [whole, ...fragments] = packetiseH264([short, long]);
    expect(whole).toEqual(short);
    expect(fragments.map(([indicator, head]) => [indicator, head])).toEqual([
      [0x60 | 28, 0x80 | IDR],
      [0x60 | 28, IDR],
      [0x60 | 28, 0x40 | IDR],
    ]);
  });

  it("may hold several units (STAP-A, 5.7.1)", () => {
    const [one, two] = [unit(SPS, 300), unit(PPS, 5)];
    const aggregate = Uint8Array.of(0x78, 1, 44, ...one, 0, 5, ...two);
    expect(unitsOf([aggregate])).toEqual([one, two]);
    const receiver = new H264Depacketiser();
    expect(receiver.take(aggregate.subarray(0, -1), 0)).toEqual([one]);
    expect(receiver.incomplete).toBe(1);
  });

  it.each([
    ["first", 0],
    ["middle", 1],
    ["last", 2],
  ])("of which the %s fragment is lost cost that unit alone", (_, lost) => {
    const [before, broken, after] = [unit(SLICE, 100), unit(SLICE, 3000), unit(SLICE, 200)];
    const payloads = [before, broken, after].flatMap((one) => packetiseH264([one]));
    const receiver = new H264Depacketiser();
    const got = payloads.flatMap((payload, i) => (i === 1 + lost ? [] : receiver.take(payload, i)));
    expect(got).toEqual([before, after]);
    expect(receiver.incomplete).toBe(1);
  });
});

describe("a hostile sender of H.264", () => {
  it("who sends a unit in fragments of one octet, or of none, takes no memory for each", () => {
    const receiver = new H264Depacketiser();
    const fragment = (flags: number, ...octets: number[]) => Uint8Array.of(0x60 | 28, flags | IDR, ...octets);
    receiver.take(fragment(0x80), 0);
    const before = process.memoryUsage();
    const many = 400_000;
    for (let i = 1; i <= many; i++) receiver.take(i % 2 === 0 ? fragment(0) : fragment(0, 7), i & 0xffff);
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16 << 20);
    const [whole] = receiver.take(fragment(0x40, 9), (many + 1) & 0xffff);
    expect([whole?.length, whole?.[1], whole?.at(-1)]).toEqual([2 + many / 2, 7, 9]);
  });
});

describe("a byte stream of H.264", () => {
  it("has the units that it was written from", () => {
    fc.assert(
      fc.property(fc.array(units, { maxLength: 6 }), (all) => {
        expect(splitAnnexB(writeAnnexB(all))).toEqual(all);
      }),
    );
  });

  it("may have start codes of three octets, and zeros behind units", () => {
    const stream = Uint8Array.of(0, 0, 1, 0x67, 9, 0, 0, 0, 0, 1, 0x68, 8, 0, 0, 1, 0x65, 0x88, 0);
    expect(splitAnnexB(stream)).toEqual([
      Uint8Array.of(0x67, 9),
      Uint8Array.of(0x68, 8),
      Uint8Array.of(0x65, 0x88),
    ]);
    expect(splitAnnexB(Uint8Array.of(1, 2, 3, 4))).toEqual([]);
  });

  it("has pictures of several slices, each with what goes before it", () => {
    const first = [unit(DELIMITER), unit(SPS), unit(PPS), unit(SEI), unit(IDR), unit(IDR, 4, 0x40)];
    const second = [unit(SLICE), unit(SLICE, 4, 0x20)];
    const third = [unit(DELIMITER), unit(SLICE)];
    expect(accessUnitsOf([...first, ...second, ...third])).toEqual([first, second, third]);
  });
});

describe("the order of packets", () => {
  it("is that of their numbers, also where those begin anew", () => {
    const order = new PacketOrder<string>();
    expect(order.push(0xffff, "a")).toEqual(["a"]);
    expect(order.push(1, "c")).toEqual([]);
    expect(order.push(0, "b")).toEqual(["b", "c"]);
    expect(order.push(0xffff, "a")).toEqual([]);
  });

  it("goes on behind a packet that does not come, and ends with what waits", () => {
    const order = new PacketOrder<number>(3);
    const given = [10, 12, 13, 14, 15].flatMap((n) => order.push(n, n));
    expect(given).toEqual([10, 12, 13, 14, 15]);
    expect(order.push(17, 17)).toEqual([]);
    expect(order.flush()).toEqual([17]);
  });
});
