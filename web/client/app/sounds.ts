/** Short sounds for who does not look: the floor is there, is refused, or is gone; or there is an emergency. */

export type Sound = "granted" | "refused" | "lost" | "emergency";

/** Hertz and milliseconds of each tone. */
const TONES: Readonly<Record<Sound, readonly (readonly [number, number])[]>> = {
  granted: [
    [880, 60],
    [1175, 80],
  ],
  refused: [[300, 250]],
  emergency: [
    [960, 200],
    [770, 200],
    [960, 200],
    [770, 200],
  ],
  lost: [
    [600, 100],
    [400, 150],
  ],
};
const VOLUME = 0.15;

export function play(context: AudioContext, sound: Sound): void {
  let at = context.currentTime;
  for (const [hertz, ms] of TONES[sound]) {
    const oscillator = new OscillatorNode(context, { frequency: hertz });
    oscillator.connect(new GainNode(context, { gain: VOLUME })).connect(context.destination);
    oscillator.start(at);
    at += ms / 1000;
    oscillator.stop(at);
  }
}
