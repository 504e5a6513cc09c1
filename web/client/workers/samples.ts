/** Samples of the worklets, which are from -1 to 1, and of speech, which have 16 bits. */
import { clip } from "../../../bindings/media/index.ts";

const FULL = 32_768;

export function toSamples(floats: Float32Array): Int16Array {
  return clip(Int32Array.from(floats, (value) => Math.round(value * FULL)));
}

export function toFloats(samples: Int16Array): Float32Array {
  return Float32Array.from(samples, (sample) => sample / FULL);
}
