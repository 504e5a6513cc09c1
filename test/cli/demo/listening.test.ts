/** Tests whether what was heard is what was said, whatever frames are missing or doubled. */
import { describe, expect, it } from "vitest";
import { decodeG711, encodeG711, G711_FRAME, mixFrames } from "../../../bindings/media/index.ts";
import { tone } from "../../../cli/call/tone.ts";
import { isMixed, isOnly } from "../../../cli/demo/listening.ts";
import { Report } from "../../../cli/demo/report.ts";

const [LOW, HIGH] = [450, 1000];
const coded = (frame: Int16Array) => decodeG711("PCMA", encodeG711("PCMA", frame));
const low = coded(tone(LOW, G711_FRAME, 4000));
const high = coded(tone(HIGH, G711_FRAME, 4000));
const both = coded(mixFrames([low, high], G711_FRAME));
const noise = coded(Int16Array.from({ length: G711_FRAME }, (_, i) => ((i * 7919) % 4001) - 2000));

describe("what a listener of the demo heard", () => {
  it("is the tone alone, in however many frames", () => {
    expect(isOnly([low], [LOW])).toBe(true);
    expect(isOnly([low, low, low], [LOW])).toBe(true);
    expect(isOnly([], [LOW])).toBe(false);
  });

  it.each([
    ["another tone", high],
    ["noise", noise],
    ["silence", new Int16Array(G711_FRAME)],
    ["another tone as well", both],
  ])("is not the tone alone when one frame is %s", (_, frame) => {
    expect(isOnly([low, low, frame, low], [LOW])).toBe(false);
  });

  it("is mixed when both tones sound in one frame, not when one follows the other", () => {
    expect(isMixed([low, both, high], [LOW, HIGH])).toBe(true);
    expect(isOnly([low, both, high], [LOW, HIGH])).toBe(true);
    expect(isMixed([low, high], [LOW, HIGH])).toBe(false);
    expect(isOnly([low, both, noise], [LOW, HIGH])).toBe(false);
  });
});

describe("the report of the demo", () => {
  it("fails for what must hold on any machine, and names it", () => {
    const report = new Report();
    report.check("first GMK, the same for all", 4, 4);
    report.check("packets opened with the removed member's keys (must be 0)", 0, 51, 0);
    expect(report.failure).toBeUndefined();
    report.check("third GMK, held by the removed member (must be 0)", 1, 1, 0);
    expect(report.failure).toMatchObject({
      code: "DEMO_FAILED",
      message: "third GMK, held by the removed member (must be 0): 1 of 1, not 0",
    });
  });

  it("does not fail because a machine is slow", () => {
    const report = new Report();
    report.measure({ what: "who heard every frame", held: 11, of: 198, note: "too slow" });
    expect(report.failure).toBeUndefined();
  });
});
