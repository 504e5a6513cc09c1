/** G.711 at the rate of the audio context: six samples for one, with a low-pass of 3.6 kHz on either way. */
import { andThen } from "../../../base/maybe-promise.ts";
import { clip, G711_RATE } from "../../../bindings/media/index.ts";
import type { SpeechCodec } from "../../../roles/call/speech-codec.ts";
import { AUDIO_FRAME, AUDIO_RATE } from "../messages.ts";

const FACTOR = AUDIO_RATE / G711_RATE;
const TAPS = 16 * FACTOR;
const CUTOFF = 3600;
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
class Downsampler {
  #past = new Int16Array(TAPS - 1);

  take(samples: Int16Array): Int16Array {
    const all = new Int16Array(this.#past.length + samples.length);
    all.set(this.#past);
    all.set(samples, this.#past.length);
    const out = new Int32Array(samples.length / FACTOR);
    for (let n = 0; n < out.length; n++) {
      let sum = 0;
      for (let i = 0; i < TAPS; i++) sum += FILTER[i]! * all[n * FACTOR + i]!;
      out[n] = Math.round(sum);
    }
    this.#past = all.slice(samples.length);
    return clip(out);
  }
}

/** 8 kHz to 48 kHz. */
class Upsampler {
  #past = new Int16Array(TAPS / FACTOR - 1);

  take(samples: Int16Array): Int16Array {
    const all = new Int16Array(this.#past.length + samples.length);
    all.set(this.#past);
    all.set(samples, this.#past.length);
    const out = new Int32Array(samples.length * FACTOR);
    for (let n = 0; n < out.length; n++) {
      const [base, phase] = [Math.floor(n / FACTOR), n % FACTOR];
      let sum = 0;
      for (let i = 0; i <= this.#past.length; i++)
        sum += FILTER[TAPS - FACTOR * (i + 1) + phase]! * all[base + i]!;
      out[n] = Math.round(sum * FACTOR);
    }
    this.#past = all.slice(samples.length);
    return clip(out);
  }
}

/** A codec of G.711 whose frames are those of the audio context. */
export function resampled(codec: SpeechCodec): SpeechCodec {
  return {
    ...codec,
    samples: AUDIO_FRAME,
    encoder() {
      const [down, encode] = [new Downsampler(), codec.encoder()];
      return (frame) => encode(down.take(frame));
    },
    decoder() {
      const [up, decode] = [new Upsampler(), codec.decoder()];
      return (payload) => andThen(decode(payload), (frame) => frame && up.take(frame));
    },
  };
}
