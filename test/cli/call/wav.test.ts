/** Speech in and out of WAV files, and tones in speech. */
import { describe, expect, it } from "vitest";
import { concat } from "../../../base/bytes.ts";
import { shareOf, tone } from "../../../cli/call/tone.ts";
import { readWav, wavHeader, wavSamples } from "../../../cli/call/wav.ts";

const file = (samples: Int16Array) => concat(wavHeader(samples.length), wavSamples(samples));

/** A file of that format whose samples are the tone in every channel. */
function fileWith({ channels = 1, rate = 8000, bits = 16, code = 1 }): Uint8Array {
  const samples = Int16Array.from({ length: rate * channels }, (_, i) =>
    Math.round(8000 * Math.sin((2 * Math.PI * 440 * Math.floor(i / channels)) / rate)),
  );
  const octets = file(samples);
  const view = new DataView(octets.buffer);
  view.setUint16(20, code, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint16(34, bits, true);
  return octets;
}

describe("a WAV file", () => {
  it("is read as it was written", () => {
    const samples = tone(440, 1600);
    expect(readWav(file(samples), "a.wav")).toEqual(samples);
  });

  it("is converted to speech, whatever rate and channels it has", () => {
    for (const format of [
      { rate: 48_000 },
      { rate: 44_100, channels: 2 },
      { channels: 2 },
      { code: 0xfffe },
    ]) {
      const samples = readWav(fileWith(format), "a.wav");
      expect(samples.length).toBe(8000);
      expect(shareOf(440, samples), JSON.stringify(format)).toBeGreaterThan(0.98);
    }
  });

  it("is read past other chunks, and to its end where a length is too great", () => {
    const whole = file(tone(440, 800));
    const list = new Uint8Array([0x4c, 0x49, 0x53, 0x54, 3, 0, 0, 0, 1, 2, 3, 0]);
    const octets = concat(whole.subarray(0, 36), list, whole.subarray(36));
    new DataView(octets.buffer).setUint32(36 + list.length + 4, 0xffffffff, true);
    expect(readWav(octets, "a.wav")).toEqual(tone(440, 800));
  });

  it.each([
    ["not a WAV file", new Uint8Array(50)],
    ["not a WAV file", new Uint8Array(3)],
    ["no samples", file(tone(440, 10)).subarray(0, 36)],
    [
      "its format is cut off",
      concat(file(tone(440, 10)).subarray(0, 16), new Uint8Array([4, 0, 0, 0, 1, 0, 1, 0])),
    ],
    ["not PCM of 16 bits", fileWith({ bits: 8 })],
    ["not PCM of 16 bits", fileWith({ code: 3 })],
    ["9 channels", fileWith({ channels: 9 })],
    ["4000 samples a second", fileWith({ rate: 4000 })],
    [
      "no format before the samples",
      concat(file(new Int16Array(0)).subarray(0, 12), file(tone(440, 10)).subarray(36)),
    ],
  ])("is refused with the reason: %s", (text, octets) => {
    expect(() => readWav(octets, "a.wav")).toThrow(`a.wav: ${text}`);
  });
});

describe("the detection of a tone", () => {
  it("finds it where it is, also beside another, and finds none in silence", () => {
    const [low, high] = [tone(440, 8000), tone(1000, 8000)];
    expect(shareOf(440, low)).toBeGreaterThan(0.99);
    expect(shareOf(1000, low)).toBeLessThan(0.01);
    const both = low.map((sample, i) => (sample + high[i]!) / 2);
    expect(shareOf(440, both)).toBeGreaterThan(0.45);
    expect(shareOf(1000, both)).toBeGreaterThan(0.45);
    expect(shareOf(440, new Int16Array(8000))).toBe(0);
  });
});
