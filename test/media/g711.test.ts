/** G.711 against what its tables say: segments that double, decision values between outputs, and the known corner values. */
import { describe, expect, it } from "vitest";
import { decodeG711, encodeG711, type G711Law, g711LawOf } from "../../bindings/media/index.ts";

const all = Uint8Array.from({ length: 256 }, (_, i) => i);
const every = Int16Array.from({ length: 0x10000 }, (_, i) => i - 0x8000);

/** Positive output values by the formulas of tables 1 and 2, from the smallest on, and those of µ-law from zero. */
function outputs(law: G711Law): number[] {
  const values: number[] = [];
  for (let segment = 0; segment < 8; segment++) {
    for (let step = 0; step < 16; step++) {
      if (law === "PCMU") values.push(4 * (2 ** segment * (2 * step + 33) - 33));
      else values.push(8 * (segment === 0 ? 2 * step + 1 : 2 ** (segment - 1) * (2 * step + 33)));
    }
  }
  return values;
}

/** The decision values below each output value. */
function decisions(law: G711Law): number[] {
  const edges: number[] = [];
  for (let segment = 0; segment < 8; segment++) {
    for (let step = 0; step < 16; step++) {
      if (law === "PCMU") edges.push(4 * (2 ** segment * (2 * step + 32) - 33));
      else edges.push(8 * (segment === 0 ? 2 * step : 2 ** (segment - 1) * (2 * step + 32)));
    }
  }
  return edges;
}

describe.each(["PCMU", "PCMA"] as const)("G.711 %s", (law) => {
  const decoded = decodeG711(law, all);

  it("has the output values of its table, at encoder and decoder", () => {
    const values = outputs(law);
    const sorted = [...decoded].sort((a, b) => a - b);
    expect(sorted).toEqual([...values.map((v) => -v).reverse(), ...values].map((v) => v + 0));
  });

  it("maps each sample to the output value between whose decision values it lies", () => {
    const values = outputs(law);
    const edges = decisions(law);
    const back = decodeG711(law, encodeG711(law, every));
    let step = 0;
    for (let sample = 0; sample <= 0x7fff; sample++) {
      while (step < 127 && sample >= edges[step + 1]!) step++;
      if (back[0x8000 + sample] !== values[step])
        expect([sample, back[0x8000 + sample]]).toEqual([sample, values[step]]);
      // The other side is its mirror image.
      if (back[0x7fff - sample]! + values[step]! !== 0)
        expect([-sample - 1, back[0x7fff - sample]]).toEqual(-values[step]!);
    }
    expect(step).toBe(127);
  });

  it("returns each octet unchanged, except for the second zero of µ-law", () => {
    const again = encodeG711(law, decoded);
    const differing = [...all].filter((octet) => again[octet] !== octet);
    expect(differing).toEqual(law === "PCMU" ? [0x7f] : []);
  });

  it("rises with the sample", () => {
    const back = decodeG711(law, encodeG711(law, every));
    expect(back.every((value, i) => i === 0 || value >= back[i - 1]!)).toBe(true);
  });
});

describe("G.711", () => {
  it("has the corner values of the recommendation", () => {
    expect([...encodeG711("PCMU", Int16Array.of(0, -1, 32767, -32768))]).toEqual([0xff, 0x7f, 0x80, 0x00]);
    expect([...encodeG711("PCMA", Int16Array.of(0, -1, 32767, -32768))]).toEqual([0xd5, 0x55, 0xaa, 0x2a]);
    expect([...decodeG711("PCMU", Uint8Array.of(0x80, 0x00))]).toEqual([32124, -32124]);
    expect([...decodeG711("PCMA", Uint8Array.of(0xaa, 0x2a))]).toEqual([32256, -32256]);
  });

  it("has the RTP payload types 0 and 8", () => {
    expect([0, 8, 3, 96].map(g711LawOf)).toEqual(["PCMU", "PCMA", undefined, undefined]);
  });

  it("gives the digital milliwatt of table 5 (µ-law) its level", () => {
    const octets = Uint8Array.of(0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e);
    const samples = [...decodeG711("PCMU", octets)];
    const power = samples.reduce((sum, sample) => sum + sample ** 2, 0) / samples.length;
    // A sine up to the virtual decision value 8159 is 3.17 dB above it (clause 4).
    expect(10 * Math.log10((4 * 8159) ** 2 / 2 / power)).toBeCloseTo(3.17, 1);
  });
});
