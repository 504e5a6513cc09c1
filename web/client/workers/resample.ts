/** Between the rate of the audio context and that of G.711: six to one, with a low-pass of 3.6 kHz on either way. */
import { G711_RATE } from "../../../bindings/media/index.ts";
import { AUDIO_RATE } from "../messages.ts";

const FACTOR = AUDIO_RATE / G711_RATE;
const TAPS = 16 * FACTOR;
const CUTOFF = 3600;
/** Full scale of 16-bit samples. */
const FULL = 32_768;

/** A windowed sinc (Blackman) whose sum is 1. */
const FILTER = filter();

function filter(): Float64Array {
  const taps = new Float64Array(TAPS);
  const middle = (TAPS - 1) / 2;
  for (let i = 0; i < TAPS; i++) {
    const x = (2 * CUTOFF * (i - middle)) / AUDIO_RATE;
    const phase = (2 * Math.PI * i) / (TAPS - 1);
    const window = 0.42 - 0.5 * Math.cos(phase) + 0.08 * Math.cos(2 * phase);
    taps[i] = window * (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
  }
  const sum = taps.reduce((total, tap) => total + tap);
  return taps.map((tap) => tap / sum);
}

/** 48 kHz to 8 kHz. */
export class Downsampler {
  #past = new Float32Array(TAPS - 1);

  take(samples: Float32Array): Int16Array {
    const all = new Float32Array(this.#past.length + samples.length);
    all.set(this.#past);
    all.set(samples, this.#past.length);
    const out = new Int16Array(samples.length / FACTOR);
    for (let n = 0; n < out.length; n++) {
      let sum = 0;
      for (let i = 0; i < TAPS; i++) sum += FILTER[i]! * all[n * FACTOR + i]!;
      out[n] = Math.max(-FULL, Math.min(FULL - 1, Math.round(sum * FULL)));
    }
    this.#past = all.slice(samples.length);
    return out;
  }
}

/** 8 kHz to 48 kHz. */
export class Upsampler {
  #past = new Float32Array(TAPS / FACTOR - 1);

  take(samples: Int16Array): Float32Array {
    const all = new Float32Array(this.#past.length + samples.length);
    all.set(this.#past);
    for (let i = 0; i < samples.length; i++) all[this.#past.length + i] = samples[i]! / FULL;
    const out = new Float32Array(samples.length * FACTOR);
    for (let n = 0; n < out.length; n++) {
      const [base, phase] = [Math.floor(n / FACTOR), n % FACTOR];
      let sum = 0;
      for (let i = 0; i <= this.#past.length; i++)
        sum += FILTER[TAPS - FACTOR * (i + 1) + phase]! * all[base + i]!;
      out[n] = sum * FACTOR;
    }
    this.#past = all.slice(samples.length);
    return out;
  }
}
