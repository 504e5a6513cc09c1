/** A tone, and how much of a tone is in what is heard: for calls that nobody speaks in. */
import { SPEECH_RATE } from "./wav.ts";

const LEVEL = 8000;

/** A sine of so many hertz. */
export function tone(hertz: number, samples: number, level = LEVEL): Int16Array {
  const step = (2 * Math.PI * hertz) / SPEECH_RATE;
  return Int16Array.from({ length: samples }, (_, i) => Math.round(level * Math.sin(i * step)));
}

/** The share of a tone in the power of the samples, 0 to 1 (Goertzel); 0 for silence. */
export function shareOf(hertz: number, samples: Int16Array): number {
  const turn = 2 * Math.cos((2 * Math.PI * hertz) / SPEECH_RATE);
  let [power, last, beforeLast] = [0, 0, 0];
  for (const sample of samples) {
    power += sample * sample;
    const next = sample + turn * last - beforeLast;
    [beforeLast, last] = [last, next];
  }
  if (power === 0) return 0;
  const found = last * last + beforeLast * beforeLast - turn * last * beforeLast;
  return (2 * found) / (samples.length * power);
}
