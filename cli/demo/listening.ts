/** What members of the demo hear, and whether it is what was said. */
import { G711_FRAME } from "../../bindings/media/index.ts";
import { everyFrame } from "../call/pace.ts";
import { shareOf, tone } from "../call/tone.ts";
import { SPEECH_RATE } from "../call/wav.ts";
import type { DemoMember } from "./member.ts";

export interface Talk {
  readonly member: DemoMember;
  readonly hertz: number;
}

/** Frames that are played behind the last one said: what is on its way, and what jitter buffers hold back. */
const TAIL = 25;
/** G.711 and a lost frame leave a pure tone this much of what is heard. */
const PURE = 0.9;

/** Some say a tone for so many frames; what each of the others heard. */
export async function talkAndListen(
  talks: readonly Talk[],
  listeners: readonly DemoMember[],
  frames: number,
  update: (frames: number) => void,
): Promise<Map<DemoMember, Int16Array>> {
  const said = talks.map(({ member, hertz }) => ({ member, samples: tone(hertz, SPEECH_RATE, 4000) }));
  const heard = new Map(listeners.map((listener) => [listener, [] as Int16Array[]]));
  await everyFrame(async (n) => {
    const at = (n * G711_FRAME) % SPEECH_RATE;
    if (n < frames) {
      for (const { member, samples } of said) await member.say(samples.subarray(at, at + G711_FRAME));
    }
    for (const [listener, parts] of heard) {
      const frame = listener.play();
      if (frame !== undefined) parts.push(frame);
    }
    update(Math.min(n + 1, frames));
    return n < frames + TAIL;
  });
  return new Map([...heard].map(([listener, parts]) => [listener, joined(parts)]));
}

/** All tones are in it, about as loud, for at least half of the time, and nothing else. */
export function hasTones(samples: Int16Array, hertz: readonly number[], frames: number): boolean {
  const shares = hertz.map((one) => shareOf(one, samples));
  const sum = shares.reduce((total, share) => total + share, 0);
  return (
    samples.length >= (frames * G711_FRAME) / 2 &&
    sum > PURE &&
    shares.every((share) => share > 0.5 / hertz.length)
  );
}

function joined(parts: readonly Int16Array[]): Int16Array {
  const all = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
