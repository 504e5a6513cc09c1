/** Video of the command line: a file of H.264 that is sent to a group, and one that grows from what a group sends. */
import { open } from "node:fs/promises";
import { pause } from "../../base/deadline.ts";
import { defined } from "../../base/defined.ts";
import {
  accessUnitsOf,
  H264_RATE,
  packetiseH264,
  splitAnnexB,
  writeAnnexB,
} from "../../bindings/media/index.ts";
import type { FloorChange } from "../../roles/client/calls/index.ts";
import { type McxMemberOptions, openMcxMember } from "../device/member.ts";
import { type ByteSource, readInput } from "../terminal/files.ts";
import type { Output } from "../terminal/output.ts";
import { usageError } from "../terminal/usage.ts";
import { recordingEnd } from "./recording-end.ts";
import { causeOf } from "./talk.ts";
import { VideoStreams } from "./video-streams.ts";

const MAX_VIDEO = 256 << 20;
/** Others have the last packets before one leaves. */
const LINGER_MS = 300;
const POLL_MS = 20;
/** Packets that leave together: a socket takes few more at once. */
const TOGETHER = 16;

/** The pictures of a file, each as its NAL units. @throws usage error `BAD_H264` */
export async function picturesOf(file: string, stdin: ByteSource): Promise<Uint8Array[][]> {
  const pictures = accessUnitsOf(splitAnnexB(await readInput(file, stdin, MAX_VIDEO)));
  if (pictures.length === 0) throw usageError("BAD_H264", `${file}: no byte stream of H.264 (Annex B)`);
  return pictures;
}

export type Shown =
  | { readonly pictures: number; readonly packets: number }
  | { readonly lost: string; readonly cause?: string };

export interface ShowOptions {
  readonly priority: number;
  readonly waitMs: number;
  readonly perSecond: number;
  readonly note: (text: string) => void;
}

/** Sends pictures at their pace, once the server has granted it. */
export async function showTo(
  member: Omit<McxMemberOptions, "onEvent">,
  pictures: readonly Uint8Array[][],
  { priority, waitMs, perSecond, note }: ShowOptions,
): Promise<Shown> {
  let lost: string | undefined;
  let cause: string | undefined;
  const { client, close } = await openMcxMember({ ...member, onEvent: () => undefined });
  try {
    const { call, hangUp } = await client.video(member.groupUri, {
      onTransmission(change: FloorChange) {
        const { state, position } = change.floor;
        if (state === "queued") note(`waiting to transmit, place ${position}`);
        lost = change.lost;
        cause = causeOf(change);
      },
      onEnd: (end) => {
        lost = `the call was ended (${end})`;
      },
    });
    const isGranted = () => call.transmission.state === "granted";
    try {
      call.request(priority);
      const until = performance.now() + waitMs;
      while (!isGranted() && lost === undefined && performance.now() < until) await pause(POLL_MS);
      if (!isGranted()) return { lost: lost ?? "timed out", ...defined({ cause }) };
      let packets = 0;
      const begun = performance.now();
      for (const [n, units] of pictures.entries()) {
        await pause(Math.max(begun + (1000 * n) / perSecond - performance.now(), 0));
        const payloads = packetiseH264(units);
        for (const [i, payload] of payloads.entries()) {
          if (!isGranted()) return { lost: lost ?? "taken away", ...defined({ cause }) };
          await call.send(payload, Math.round((n * H264_RATE) / perSecond), i === payloads.length - 1);
          if (++packets % TOGETHER === 0) await pause(1);
        }
      }
      await pause(LINGER_MS);
      call.release();
      return { pictures: pictures.length, packets };
    } finally {
      await hangUp();
    }
  } finally {
    await close();
  }
}

export interface Watched {
  readonly packets: number;
  readonly refused: number;
  /** NAL units in the file. */
  readonly units: number;
  /** NAL units that are not, as a part of them was lost. */
  readonly incomplete: number;
}

/** Writes what a group sends into a file of H.264. `watching` is told that the call has begun. */
export async function watchInto(
  member: Omit<McxMemberOptions, "onEvent">,
  { out, seconds }: { readonly out: string; readonly seconds: number | undefined },
  output: Output,
  watching: () => void,
): Promise<Watched> {
  const { client, close } = await openMcxMember({ ...member, onEvent: () => undefined });
  const recording = recordingEnd(seconds);
  try {
    const file = await open(out, "w");
    let units = 0;
    let writing: Promise<unknown> = Promise.resolve();
    const streams = new VideoStreams((those) => {
      units += those.length;
      writing = writing.then(() => file.write(writeAnnexB(those)));
      // It is told below.
      writing.catch(recording.end);
    });
    try {
      const ended = new Promise<void>((resolve) => {
        recording.signal.addEventListener("abort", () => resolve(), { once: true });
      });
      const { call, hangUp } = await client.video(member.groupUri, {
        onTransmission({ floor: { state, talker } }) {
          output.ready({ event: "transmission", state, ...defined({ transmitter: talker }) }, () => [
            talker === undefined ? "nobody transmits" : `${talker} transmits`,
          ]);
        },
        onVideo: (video) => streams.take(video),
        onEnd: recording.end,
      });
      watching();
      await ended;
      const { received, refused } = call.counters;
      await hangUp();
      streams.flush();
      await writing;
      const notOpened = Object.values(refused).reduce((sum, count) => sum + count);
      return { packets: received, refused: notOpened, units, incomplete: streams.incomplete };
    } finally {
      await file.close();
    }
  } finally {
    recording.release();
    await close();
  }
}
