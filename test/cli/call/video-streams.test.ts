/** The streams of video that are written to a file. */
import { describe, expect, it } from "vitest";
import { packetiseH264 } from "../../../bindings/media/index.ts";
import { VideoStreams } from "../../../cli/call/video-streams.ts";

const MALLORY = "sip:mallory@example.org";
/** A NAL unit of three fragments. */
const UNIT = Uint8Array.from({ length: 3000 }, (_, i) => (i === 0 ? 0x65 : 1 + (i % 250)));
const FRAGMENTS = packetiseH264([UNIT]);

function streams() {
  const units: Uint8Array[] = [];
  const all = new VideoStreams((those) => units.push(...those));
  const take = (ssrc: number, sequenceNumber: number, payload: Uint8Array) =>
    all.take({ user: MALLORY, ssrc, payload, sequenceNumber, timestamp: 0, marker: false });
  return { all, units, take };
}

describe("streams of video", () => {
  it("are put together each for itself, in the order of their packets", () => {
    const { all, units, take } = streams();
    for (const n of [0, 2, 1]) for (const ssrc of [1, 2]) take(ssrc, n, FRAGMENTS[n]!);
    expect(units).toEqual([UNIT, UNIT]);
    expect([all.size, all.incomplete]).toEqual([2, 0]);
  });

  it("of one sender who has many make room for each other, and a stream that is heard stays", () => {
    const { all, units, take } = streams();
    take(0, 0, FRAGMENTS[0]!);
    for (let ssrc = 1; ssrc <= 1000; ssrc++) {
      take(ssrc, 1, FRAGMENTS[1]!);
      if (ssrc === 20) take(0, 1, FRAGMENTS[1]!);
      if (ssrc === 40) take(0, 2, FRAGMENTS[2]!);
    }
    expect(units).toEqual([UNIT]);
    expect(all.size).toBeLessThan(100);
    all.flush();
    // Every other stream began with the middle of a unit.
    expect([all.size, all.incomplete]).toEqual([0, 1000]);
  });
});
