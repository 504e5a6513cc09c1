/** SRTP, floor control and the media sockets of all calls of the page, and the frames of its worklets. */

import { systemClock } from "../../../base/clock.ts";
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { systemRandom } from "../../../base/random.ts";
import { mixFrames } from "../../../bindings/media/index.ts";
import type { CallDescription } from "../../../documents/sdp/call.ts";
import type { ControlKeys } from "../../../roles/call/control-keys.ts";
import { ReservedBlocks } from "../../../roles/call/reserved-blocks.ts";
import { G711_CODECS, type SpeechCodec } from "../../../roles/call/speech-codec.ts";
import type { CallEvent } from "../../../roles/client/calls/call-events.ts";
import { GroupCall } from "../../../roles/client/calls/group-call.ts";
import type { PrivateCall } from "../../../roles/client/calls/private-call.ts";
import { type MediaSocket, openMediaSocket } from "../../../transport/datagram/websocket-client.ts";
import {
  AUDIO_FRAME,
  type FromMedia,
  type KeysToMedia,
  type MediaCounts,
  type PrivateCallOpened,
  type ToMedia,
} from "../messages.ts";
import { ControlKeyCopies, KeyCopies } from "./held-keys.ts";
import { OPUS_CODEC } from "./opus.ts";
import { resampled } from "./resample.ts";
import { toFloats, toSamples } from "./samples.ts";
import { openStorage } from "./storage.ts";

interface Call {
  readonly call: GroupCall | PrivateCall;
  readonly socket: MediaSocket;
  /** The last step brought something to hear. */
  isHeard: boolean;
}

interface CallParts {
  readonly socket: MediaSocket;
  readonly onEvent: (event: CallEvent) => void;
}

type MakeCall = (parts: CallParts) => Call["call"];

export interface PrivateCallParts extends CallParts {
  readonly userUri: string;
  readonly control: ControlKeys;
  /** Their frames are those of the worklets. */
  readonly codecs: readonly SpeechCodec[];
}

/** The media of a private call, where the page has any. */
export type PrivateCallOf = (opened: PrivateCallOpened, parts: PrivateCallParts) => PrivateCall;

/**
 * C101: an emergency waits for a talker who does not give the floor back until the server takes it, 3 s after it told them (T3);
 * without a queue nothing is heard meanwhile.
 */
const FLOOR_REQUESTS = 5;

/** A browser that has no Opus has not offered it. */
const CODECS = [OPUS_CODEC, ...G711_CODECS.map(resampled)];

const NOTHING: MediaCounts = { sent: 0, received: 0, played: 0, lost: 0, refused: 0 };

export class Media {
  readonly #tell: (message: FromMedia) => void;
  readonly #privateCallOf: PrivateCallOf | undefined;
  readonly #calls = new Map<string, Call>();
  readonly #control = new ControlKeyCopies();
  readonly #groups = new Map<string, KeyCopies>();
  readonly #volumes = new Map<string, number>();
  #last: Promise<void> = Promise.resolve();
  #user = "";
  #mixer = "";
  #blocks: Promise<ReservedBlocks> | undefined;
  #capture: MessagePort | undefined;
  /** Totals of calls that have ended. */
  #past = NOTHING;

  constructor(tell: (message: FromMedia) => void, privateCallOf: PrivateCallOf | undefined) {
    this.#tell = tell;
    this.#privateCallOf = privateCallOf;
  }

  take(message: ToMedia): void {
    switch (message.type) {
      case "keys":
        // One after the other: a call that is opened may be closed at once.
        message.port.onmessage = ({ data }: MessageEvent<KeysToMedia>) => {
          this.#last = this.#last.then(() => this.#takeKeys(data));
        };
        break;
      case "audio":
        this.#connect(message.capture, message.play);
        break;
      case "request":
        // A private call has no emergencies.
        this.#calls.get(message.group)?.call.request(0, message);
        break;
      case "release":
        for (const { call } of this.#calls.values()) call.release();
        break;
      case "volume":
        this.#volumes.set(message.group, message.volume);
        break;
      case "count":
        this.#tell({ type: "counts", counts: this.#counts() });
        break;
    }
  }

  async #takeKeys(message: KeysToMedia): Promise<void> {
    switch (message.type) {
      case "user":
        this.#user = message.user;
        this.#mixer = message.mixer;
        this.#blocks = openStorage(message.user).then(
          (storage) => new ReservedBlocks(storage, { userUri: message.user, random: systemRandom }),
        );
        break;
      case "control-keys":
        this.#control.set(message.keys);
        break;
      case "group-keys":
        this.#keysOf(message.group).set(message.keys, message.sending);
        break;
      case "open":
        await this.#open(message.group, message.answer, message.controlSsrc);
        break;
      case "open-private":
        await this.#enter(message.user, message.answer, (parts) =>
          this.#privateCallOf!(message, {
            ...parts,
            userUri: this.#user,
            control: this.#control,
            codecs: CODECS,
          }),
        );
        break;
      case "speech": {
        const call = this.#calls.get(message.group)?.call;
        if (call instanceof GroupCall) call.talkIn(message.speech);
        break;
      }
      case "close":
        await this.#close(message.group);
        break;
    }
  }

  #keysOf(group: string): KeyCopies {
    const known = this.#groups.get(group) ?? new KeyCopies();
    this.#groups.set(group, known);
    return known;
  }

  async #open(group: string, answer: CallDescription, controlSsrc: number): Promise<void> {
    const blocks = await this.#blocks;
    const { multiTalker, speech } = answer;
    await this.#enter(
      group,
      answer,
      ({ socket: { media, floor, server }, onEvent }) =>
        new GroupCall({
          groupUri: group,
          userUri: this.#user,
          keys: this.#keysOf(group),
          mediaPort: media,
          floorPort: floor,
          server: { media: server, floor: server, ...defined({ speech }) },
          codecs: CODECS,
          control: this.#control,
          controlSsrc,
          mixer: this.#mixer,
          ...defined({ blocks }),
          floor: { requests: FLOOR_REQUESTS, ...(multiTalker && { multiTalker }) },
          clock: systemClock,
          now: () => systemClock.now(),
          random: systemRandom,
          onEvent,
        }),
    );
  }

  /** `group`: of a private call, the other user. */
  async #enter(group: string, { webSocket }: CallDescription, make: MakeCall): Promise<void> {
    await this.#close(group);
    const socket = openMediaSocket({
      uri: webSocket!.uri!,
      clock: systemClock,
      onState: (isOpen) => {
        this.#tell({ type: "socket", group, isOpen });
        // Nobody hears what would be said now.
        if (!isOpen) this.#calls.get(group)?.call.release();
      },
    });
    const onEvent = (event: CallEvent) => {
      if (event.type !== "floor") return;
      const { state, talker, isEmergency, position, until } = event.floor;
      const left = until === undefined ? undefined : until - systemClock.now();
      this.#gate();
      const floor = { state, talker, isEmergency, position, left, lost: event.lost };
      this.#tell({ type: "floor", group, ...floor });
    };
    this.#calls.set(group, { call: make({ socket, onEvent }), socket, isHeard: false });
  }

  async #close(group: string): Promise<void> {
    const known = this.#calls.get(group);
    if (known === undefined) return;
    this.#calls.delete(group);
    this.#past = sum(this.#past, countsOf(known.call));
    this.#gate();
    await known.call.close();
    known.socket.close();
    const nobody = { talker: undefined, position: undefined, left: undefined, lost: undefined };
    this.#tell({ type: "floor", group, state: "idle", isEmergency: false, ...nobody });
  }

  #connect(capture: MessagePort | undefined, play: MessagePort): void {
    this.#capture = capture;
    if (capture !== undefined) {
      capture.onmessage = ({ data }: MessageEvent<Float32Array>) => this.#said(toSamples(data));
    }
    play.onmessage = () => {
      const frame = this.#next();
      play.postMessage(frame && toFloats(frame));
    };
    this.#gate();
  }

  /** Frames leave the microphone's worklet while one may talk. */
  #gate(): void {
    this.#capture?.postMessage({ isOn: this.#talking().length > 0 });
  }

  /** The calls in which the user has the floor. */
  #talking(): Call["call"][] {
    return [...this.#calls.values()].map(({ call }) => call).filter(({ floor }) => floor.state === "granted");
  }

  #said(frame: Int16Array): void {
    for (const call of this.#talking()) {
      try {
        const sent = call.send(frame);
        // Without a key nothing goes out, and the floor is given back. A frame that the browser does not encode is lost.
        if (sent instanceof Promise) {
          sent.catch((error: unknown) => {
            if (error instanceof MikeySakkeError) call.release();
          });
        }
      } catch {
        call.release();
      }
    }
  }

  /** The next 20 ms of all calls together; null: silence. */
  #next(): Int16Array | null {
    const frames: Int16Array[] = [];
    for (const [group, known] of this.#calls) {
      const frame = known.call.play();
      if (frame !== undefined) {
        const volume = this.#volumes.get(group) ?? 1;
        frames.push(volume === 1 ? frame : frame.map((sample) => sample * volume));
        if (!known.isHeard) this.#tell({ type: "heard", group });
      }
      known.isHeard = frame !== undefined;
    }
    if (frames.length === 0) return null;
    return frames.length === 1 ? frames[0]! : mixFrames(frames, AUDIO_FRAME);
  }

  #counts(): MediaCounts {
    return [...this.#calls.values()].map(({ call }) => countsOf(call)).reduce(sum, this.#past);
  }
}

/** Runs the worker of media. */
export function runMedia(privateCallOf?: PrivateCallOf): void {
  const media = new Media((message: FromMedia) => postMessage(message), privateCallOf);
  addEventListener("message", ({ data }: MessageEvent<ToMedia>) => media.take(data));
}

function countsOf({ counters: { media } }: Call["call"]): MediaCounts {
  const { sent, received, played, lost, refused } = media;
  return { sent, received, played, lost, refused: Object.values(refused).reduce((a, b) => a + b) };
}

function sum(a: MediaCounts, b: MediaCounts): MediaCounts {
  return {
    sent: a.sent + b.sent,
    received: a.received + b.received,
    played: a.played + b.played,
    lost: a.lost + b.lost,
    refused: a.refused + b.refused,
  };
}
