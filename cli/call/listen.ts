/** Records what a user hears in a WAV file that grows. */
import { open } from "node:fs/promises";
import { defined } from "../../base/defined.ts";
import { G711_FRAME } from "../../bindings/media/index.ts";
import type { Output } from "../terminal/output.ts";
import type { LineEvents, OpenLine } from "./line.ts";
import { everyFrame } from "./pace.ts";
import { recordingEnd } from "./recording-end.ts";
import { speechCodecs } from "./speech.ts";
import { SPEECH_RATE, wavHeader, wavSamples } from "./wav.ts";

export interface Heard {
  /** Length of the file. */
  readonly seconds: number;
  readonly packets: number;
  readonly refused: number;
}

const NOTHING: Heard = { seconds: 0, packets: 0, refused: 0 };

/** `listening` is told that the call has begun. */
export async function hear(
  openLine: OpenLine,
  { out, seconds }: { readonly out: string; readonly seconds: number | undefined },
  output: Output,
  listening?: () => void,
): Promise<Heard> {
  // Until there is something to end well, a signal ends the process as it would any other.
  const codecs = await speechCodecs("g711");
  const line = await openLine(codecs);
  const recording = recordingEnd(seconds);
  try {
    const file = await open(out, "w");
    try {
      await file.write(wavHeader(0));
      const events: LineEvents = {
        onEvent(event) {
          if (event.type !== "floor") return;
          const { state, talker } = event.floor;
          output.ready({ event: "floor", state, ...defined({ talker }) }, () => [
            talker === undefined ? "nobody talks" : `${talker} talks`,
          ]);
        },
        onEnd: recording.end,
      };
      const begun = await line.begin(events, recording.signal);
      if (begun === undefined) return NOTHING;
      const { call, hangUp } = begun;
      listening?.();
      let samples = 0;
      const write = async (part: Int16Array) => {
        await file.write(wavSamples(part));
        samples += part.length;
      };
      await everyFrame(
        async (missed) => {
          const frame = call.play();
          // The file begins with the first word, and keeps the time from there on.
          if (samples > 0 && missed > 0) await write(new Int16Array(missed * G711_FRAME));
          if (frame !== undefined || samples > 0) await write(frame ?? new Int16Array(G711_FRAME));
          return true;
        },
        { signal: recording.signal },
      );
      const { received, refused } = call.counters.media;
      await hangUp();
      await file.write(wavHeader(samples), 0, undefined, 0);
      const notOpened = Object.values(refused).reduce((sum, count) => sum + count);
      return { seconds: samples / SPEECH_RATE, packets: received, refused: notOpened };
    } finally {
      await file.close();
    }
  } finally {
    recording.release();
    await line.close();
  }
}
