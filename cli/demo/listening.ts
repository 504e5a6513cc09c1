/** Records what members of the demo hear, and whether it is what was said. */
import { G711_FRAME } from "../../bindings/media/index.ts";
import { everyFrame } from "../call/pace.ts";
import { shareOf, tone } from "../call/tone.ts";
import { SPEECH_RATE } from "../call/wav.ts";
import type { DemoMember } from "./member.ts";

export interface Talk {
  readonly member: DemoMember;
  /** A multiple of 50, so that each frame has whole periods and sounds the same wherever it is played. */
  readonly hertz: number;
}

/** Steps that are played behind the last frame said: what is on its way, and what jitter buffers hold back. */
const TAIL = 25;
/** G.711 leaves a pure tone this much of what is heard. */
const PURE = 0.9;
/** The least share of the power at which a tone counts as heard. Each of two tones that are mixed has half of the power. */
const PRESENT = 0.1;

/** Some say a tone for so many frames, less if the floor is taken from them; the frames that each of the others heard. */
export async function talkAndListen(
  talks: readonly Talk[],
  listeners: readonly DemoMember[],
  frames: number,
  { signal, onStep }: { readonly signal: AbortSignal; readonly onStep: (heard: number) => void },
): Promise<Map<DemoMember, Int16Array[]>> {
  const said = talks.map(({ member, hertz }) => ({ member, frame: tone(hertz, G711_FRAME, 4000) }));
  const heard = new Map(listeners.map((listener) => [listener, [] as Int16Array[]]));
  let [step, left] = [0, TAIL];
  await everyFrame(
    async (missed) => {
      if (step < frames) {
        for (const { member, frame } of said) await member.say(frame, missed > 0);
        step++;
      } else left--;
      for (const [listener, played] of heard) {
        const frame = listener.play();
        if (frame !== undefined) played.push(frame);
      }
      onStep([...heard.values()].filter(({ length }) => length > 0).length);
      return left > 0;
    },
    { signal },
  );
  return heard;
}

/** Something was heard, and nothing but these tones. */
export function isOnly(frames: readonly Int16Array[], hertz: readonly number[]): boolean {
  return (
    frames.length > 0 &&
    frames.every((frame) => hertz.reduce((sum, one) => sum + shareOf(one, frame), 0) > PURE)
  );
}

/** In some frame all of these tones sound together. */
export function isMixed(frames: readonly Int16Array[], hertz: readonly number[]): boolean {
  return frames.some((frame) => hertz.every((one) => shareOf(one, frame) > PRESENT));
}

export const SECOND = SPEECH_RATE / G711_FRAME;
