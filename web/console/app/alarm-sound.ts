/** The sound of an emergency call that nobody has acknowledged. Browsers allow sound after a gesture of the user only. */
import { effect, signal } from "@preact/signals";

export const isSoundOn = signal(localStorage.getItem("alarm-sound") !== "off");
/** Whether the browser lets the page make a sound now. */
export const canSound = signal(false);

/** Hertz, and milliseconds of each of two tones. */
const TONES = [960, 770];
const TONE_MS = 250;
const AGAIN_MS = 1500;
const VOLUME = 0.3;

let context: AudioContext | undefined;

/** Called by gestures. */
export async function allowSound(): Promise<void> {
  context ??= new AudioContext();
  await context.resume();
  canSound.value = context.state === "running";
}

export function switchSound(): void {
  isSoundOn.value = !isSoundOn.value;
  localStorage.setItem("alarm-sound", isSoundOn.value ? "on" : "off");
}

/** Sounds as long as `isWanted` says so. */
export function soundWhile(isWanted: () => boolean): void {
  effect(() => {
    if (!isWanted() || !isSoundOn.value || !canSound.value) return undefined;
    sound();
    const timer = setInterval(sound, AGAIN_MS);
    return () => clearInterval(timer);
  });
}

function sound(): void {
  if (context === undefined) return;
  for (const [n, frequency] of TONES.entries()) {
    const oscillator = new OscillatorNode(context, { frequency });
    oscillator.connect(new GainNode(context, { gain: VOLUME })).connect(context.destination);
    oscillator.start(context.currentTime + (n * TONE_MS) / 1000);
    oscillator.stop(context.currentTime + ((n + 1) * TONE_MS) / 1000);
  }
}
