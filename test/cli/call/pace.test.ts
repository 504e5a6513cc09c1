/** The pace of speech on a clock of its own: what comes late is left out, and time stamps go on with time. */
import { describe, expect, it } from "vitest";
import { G711_FRAME, GroupMedia, readRtpHeader } from "../../../bindings/media/index.ts";
import { everyFrame } from "../../../cli/call/pace.ts";
import { g711Codec } from "../../../roles/call/speech-codec.ts";
import { VoiceSender } from "../../../roles/call/voice-sender.ts";
import { ALICE, ALL, Ring } from "../../client/calls/members.ts";
import { gmkOf } from "../../media/packets.ts";
import { VirtualClock } from "../../support/clock.ts";
import { seededRandom } from "../../support/random.ts";

interface Step {
  readonly at: number;
  readonly missed: number;
}

/** Runs so many steps, of which the one that `busy` names takes so many milliseconds. */
async function stepsOf(count: number, busy: ReadonlyMap<number, number>): Promise<Step[]> {
  const clock = new VirtualClock();
  const started = clock.now();
  const steps: Step[] = [];
  const running = everyFrame(
    (missed) => {
      const n = steps.length;
      if (n === count) return false;
      steps.push({ at: clock.now() - started, missed });
      clock.stall(busy.get(n) ?? 0);
      return true;
    },
    { clock },
  );
  await clock.pass(60_000);
  await running;
  return steps;
}

describe("the pacing of 20 ms steps", () => {
  it("starts a step every 20 ms, also when a step takes a part of that", async () => {
    const steps = await stepsOf(5, new Map([[1, 15]]));
    expect(steps.map(({ at }) => at)).toEqual([0, 20, 40, 60, 80]);
    expect(steps.every(({ missed }) => missed === 0)).toBe(true);
  });

  it("leaves late steps out, and never makes up for them by several at once", async () => {
    const steps = await stepsOf(8, new Map([[2, 170]]));
    expect(steps.map(({ at }) => at)).toEqual([0, 20, 40, 210, 220, 240, 260, 280]);
    expect(steps.map(({ missed }) => missed)).toEqual([0, 0, 0, 7, 0, 0, 0, 0]);
  });

  it("counts as many steps as the time has had, including those left out", async () => {
    const steps = await stepsOf(100, new Map(Array.from({ length: 100 }, (_, n) => [n, (n * 37) % 90])));
    let before = -1;
    for (const { at, missed } of steps) {
      const step = Math.floor(at / 20);
      expect(step).toBe(before + 1 + missed);
      before = step;
    }
  });

  it("ends with its abort signal", async () => {
    const clock = new VirtualClock();
    const end = new AbortController();
    let steps = 0;
    const running = everyFrame(() => ++steps > 0, { clock, signal: end.signal });
    await clock.pass(100);
    end.abort();
    await clock.pass(100);
    await running;
    expect(steps).toBe(6);
  });
});

describe("speech that is sent at that pace", () => {
  it("has time stamps that go on with time, and a mark after each pause", async () => {
    const clock = new VirtualClock();
    const [key] = gmkOf(0x0111111, ALL);
    const random = seededRandom(ALICE);
    const media = new GroupMedia({ keys: new Ring(key!), service: "mcptt", random });
    const sender = new VoiceSender({
      stream: media.sender(),
      codec: g711Codec("PCMA"),
      now: () => clock.now(),
      random,
    });
    const sent: { at: number; timestamp: number; sequenceNumber: number; marker: boolean }[] = [];
    const running = everyFrame(
      async (missed) => {
        if (missed > 0) sender.begin();
        const { timestamp, sequenceNumber, marker } = readRtpHeader(
          await sender.seal(new Int16Array(G711_FRAME)),
        )!;
        sent.push({ at: clock.now(), timestamp, sequenceNumber, marker });
        if (sent.length === 5) clock.stall(333);
        return sent.length < 10;
      },
      { clock },
    );
    await clock.pass(2000);
    await running;
    const first = sent[0]!;
    for (const [n, { at, timestamp, sequenceNumber, marker }] of sent.entries()) {
      const samples = ((at - first.at) * 8000) / 1000;
      expect(Math.abs(((timestamp - first.timestamp) >>> 0) - samples)).toBeLessThanOrEqual(G711_FRAME);
      expect((sequenceNumber - first.sequenceNumber) & 0xffff).toBe(n);
      expect(marker).toBe(n === 5);
    }
  });
});
