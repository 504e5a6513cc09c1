/** A talk burst of one user. */
import { pause } from "../../base/deadline.ts";
import { defined } from "../../base/defined.ts";
import { DENY_CAUSES, REVOKE_CAUSES } from "../../bindings/floor-control/index.ts";
import { G711_FRAME } from "../../bindings/media/index.ts";
import type { FloorChange } from "../../roles/client/calls/index.ts";
import { type ByteSource, readInput } from "../terminal/files.ts";
import type { LineEvents, OpenLine } from "./line.ts";
import { everyFrame, FRAME_MS } from "./pace.ts";
import { type Speech, speechCodecs } from "./speech.ts";
import { tone } from "./tone.ts";
import { readWav, SPEECH_RATE } from "./wav.ts";

const MAX_WAV = 256 << 20;
/** The others hear the end before one leaves. */
const LINGER_MS = 300;

export interface What {
  readonly wav: string | undefined;
  readonly hertz: number;
  readonly seconds: number;
}

export async function samplesOf({ wav, hertz, seconds }: What, stdin: ByteSource): Promise<Int16Array> {
  if (wav === undefined) return tone(hertz, seconds * SPEECH_RATE);
  return readWav(await readInput(wav, stdin, MAX_WAV), wav);
}

/** `cause`: what the floor server says of a denial or a revocation. */
export type Said = { readonly frames: number } | { readonly lost: string; readonly cause?: string };

export async function sayTo(
  open: OpenLine,
  samples: Int16Array,
  how: {
    readonly speech: Speech;
    readonly priority: number;
    readonly waitMs: number;
    readonly note: (text: string) => void;
  },
): Promise<Said> {
  let lost: string | undefined;
  let cause: string | undefined;
  const line = await open(await speechCodecs(how.speech));
  try {
    const events: LineEvents = {
      onEvent(event) {
        if (event.type !== "floor") return;
        if (event.floor.state === "queued") how.note(`waiting for the floor, place ${event.floor.position}`);
        lost = event.lost;
        cause = causeOf(event);
      },
      onEnd: (end) => {
        lost = `the call was ended (${end})`;
      },
    };
    const begun = await line.begin(events, new AbortController().signal);
    if (begun === undefined) return { lost: "no call" };
    const { call, hangUp } = begun;
    try {
      call.request(how.priority);
      const until = performance.now() + how.waitMs;
      while (call.floor.state !== "granted" && lost === undefined && performance.now() < until)
        await pause(FRAME_MS);
      if (call.floor.state !== "granted") return { lost: lost ?? "timed out", ...defined({ cause }) };
      let frames = 0;
      await everyFrame(async (missed) => {
        const at = frames * G711_FRAME;
        if (at >= samples.length) return false;
        // A call that has lost its server waits until another one has given the floor.
        if (call.floor.state === "pending") return true;
        if (call.floor.state !== "granted") return false;
        // Nothing is left out for being late: it is said after a pause.
        if (missed > 0) call.pause();
        const frame = new Int16Array(G711_FRAME);
        frame.set(samples.subarray(at, at + G711_FRAME));
        await call.send(frame);
        frames++;
        return true;
      });
      if (call.floor.state !== "granted") return { lost: lost ?? "taken away", ...defined({ cause }) };
      call.release();
      await pause(LINGER_MS);
      return { frames };
    } finally {
      await hangUp();
    }
  } finally {
    await line.close();
  }
}

/** The name of a cause of TS 24.380 8.2.6.2 or 8.2.10.2 in words; its number where it has none. */
export function causeOf({ lost, cause }: FloorChange): string | undefined {
  if (cause === undefined) return undefined;
  const causes = Object.entries(lost === "revoked" ? REVOKE_CAUSES : DENY_CAUSES);
  const name = causes.find(([, number]) => number === cause)?.[0];
  return name?.toLowerCase().replaceAll("_", " ") ?? `cause ${cause}`;
}
