/** Speech of a call whose frames have numbers, so that a test can tell which of them were heard. */
import { pause } from "../../../base/deadline.ts";
import type { GroupCall } from "../../../roles/client/calls/index.ts";
import { frameOf, numberOf } from "./medium.ts";

type Talker = Pick<GroupCall, "send">;
type Listener = Pick<GroupCall, "play">;

/** Milliseconds of sound in a frame. */
export const FRAME_MS = 20;

export interface Pace {
  /** Lets so many milliseconds go by: of the machine's clock, where nothing else is said. */
  readonly pass?: (milliseconds: number) => Promise<unknown>;
  /** Frames for which the listeners play on after the last one was sent: what is on its way, and in jitter buffers. */
  readonly tail?: number;
}

/**
 * The talker, who has the floor, sends so many frames at the pace of their sound, and the listeners play. Returns the
 * numbers of the frames that each of them heard.
 */
export async function say(
  talker: Talker,
  listeners: readonly Listener[],
  frames: number,
  { pass = pause, tail = 0 }: Pace = {},
): Promise<number[][]> {
  const heard = listeners.map(() => [] as number[]);
  for (let n = 0; n < frames + tail; n++) {
    if (n < frames) await talker.send(frameOf(n));
    await pass(FRAME_MS);
    for (const [i, listener] of listeners.entries()) {
      const frame = listener.play();
      if (frame !== undefined) heard[i]!.push(numberOf(frame));
    }
  }
  return heard;
}
