/** WAV files with 16-bit PCM, as speech for group calls: 8000 samples a second, one channel. */
import { usageError } from "../terminal/usage.ts";

export const SPEECH_RATE = 8000;

const RIFF_HEADER = 12;
const CHUNK_HEADER = 8;
const FORMAT_BYTES = 16;
const PCM = 1;
const EXTENSIBLE = 0xfffe;
export const WAV_HEADER_BYTES = 44;

interface Format {
  readonly channels: number;
  readonly rate: number;
}

/**
 * The speech of a file, whatever rate and channels it has. A length beyond the end of the file counts as the rest of it,
 * as in files that were written to a pipe.
 *
 * @throws usage error `BAD_WAV`
 */
export function readWav(octets: Uint8Array, name: string): Int16Array {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const tag = (at: number) => String.fromCharCode(...octets.subarray(at, at + 4));
  if (octets.length < RIFF_HEADER || tag(0) !== "RIFF" || tag(8) !== "WAVE")
    throw bad(name, "not a WAV file");
  let format: Format | undefined;
  for (let at = RIFF_HEADER; at + CHUNK_HEADER <= octets.length; ) {
    const length = Math.min(view.getUint32(at + 4, true), octets.length - at - CHUNK_HEADER);
    const content = new DataView(view.buffer, view.byteOffset + at + CHUNK_HEADER, length);
    if (tag(at) === "fmt ") format = formatOf(content, name);
    if (tag(at) === "data") {
      if (format === undefined) throw bad(name, "no format before the samples");
      return atSpeechRate(oneChannel(content, format.channels), format.rate);
    }
    // Chunks begin at even places.
    at += CHUNK_HEADER + length + (length % 2);
  }
  throw bad(name, "no samples");
}

function formatOf(content: DataView, name: string): Format {
  if (content.byteLength < FORMAT_BYTES) throw bad(name, "its format is cut off");
  const code = content.getUint16(0, true);
  const [channels, rate, bits] = [
    content.getUint16(2, true),
    content.getUint32(4, true),
    content.getUint16(14, true),
  ];
  if ((code !== PCM && code !== EXTENSIBLE) || bits !== 16) throw bad(name, "not PCM of 16 bits");
  if (channels < 1 || channels > 8) throw bad(name, `${channels} channels, must be 1 to 8`);
  if (rate < SPEECH_RATE || rate > 384_000) throw bad(name, `${rate} samples a second, must be 8000 or more`);
  return { channels, rate };
}

/** The mean of the channels. */
function oneChannel(content: DataView, channels: number): Int16Array {
  const count = Math.floor(content.byteLength / (2 * channels));
  return Int16Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++)
      sum += content.getInt16(2 * (i * channels + channel), true);
    return Math.round(sum / channels);
  });
}

/** Each sample is the mean of those in its time, which keeps most of what is too high for the rate out. */
function atSpeechRate(samples: Int16Array, rate: number): Int16Array {
  if (rate === SPEECH_RATE) return samples;
  const step = rate / SPEECH_RATE;
  return Int16Array.from({ length: Math.floor(samples.length / step) }, (_, i) => {
    const [from, to] = [Math.floor(i * step), Math.max(Math.floor(i * step) + 1, Math.floor((i + 1) * step))];
    let sum = 0;
    for (let at = from; at < to; at++) sum += samples[at]!;
    return Math.round(sum / (to - from));
  });
}

/** The head of a file with so many samples of speech. */
export function wavHeader(samples: number): Uint8Array {
  const octets = new Uint8Array(WAV_HEADER_BYTES);
  const view = new DataView(octets.buffer);
  const tag = (at: number, text: string) => octets.set(new TextEncoder().encode(text), at);
  tag(0, "RIFF");
  view.setUint32(4, WAV_HEADER_BYTES - 8 + 2 * samples, true);
  tag(8, "WAVE");
  tag(12, "fmt ");
  view.setUint32(16, FORMAT_BYTES, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, SPEECH_RATE, true);
  view.setUint32(28, 2 * SPEECH_RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  tag(36, "data");
  view.setUint32(40, 2 * samples, true);
  return octets;
}

/** Samples as the file has them. */
export function wavSamples(samples: Int16Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(2 * samples.length));
  for (const [i, sample] of samples.entries()) view.setInt16(2 * i, sample, true);
  return new Uint8Array(view.buffer);
}

function bad(name: string, text: string) {
  return usageError("BAD_WAV", `${name}: ${text}`);
}
