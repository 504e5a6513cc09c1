/** SRTP, floor control and the media sockets of all calls of the page, and the frames of its worklets. */

import { systemClock } from "../../../base/clock.ts";
import { defined } from "../../../base/defined.ts";
import { systemRandom } from "../../../base/random.ts";
import { G711_FRAME, mixFrames } from "../../../bindings/media/index.ts";
import type { CallDescription } from "../../../documents/sdp/call.ts";
import { ReservedBlocks } from "../../../roles/call/reserved-blocks.ts";
import { GroupCall } from "../../../roles/client/calls/group-call.ts";
import { type MediaSocket, openMediaSocket } from "../../../transport/datagram/websocket-client.ts";
import type { FromMedia, KeysToMedia, MediaCounts, ToMedia } from "../messages.ts";
import { ControlKeyCopies, KeyCopies } from "./held-keys.ts";
import { Downsampler, Upsampler } from "./resample.ts";
import { openStorage } from "./storage.ts";

interface Call {
  readonly call: GroupCall;
  readonly socket: MediaSocket;
  /** The last step brought something to hear. */
  isHeard: boolean;
}

/**
 * C101: an emergency waits for a talker who does not give the floor back until the server takes it, 3 s after it told them (T3);
 * without a queue nothing is heard meanwhile.
 */
const FLOOR_REQUESTS = 5;

const NOTHING: MediaCounts = { sent: 0, received: 0, played: 0, lost: 0, refused: 0 };

export class Media {
  readonly #tell: (message: FromMedia) => void;
  readonly #calls = new Map<string, Call>();
  readonly #control = new ControlKeyCopies();
  readonly #groups = new Map<string, KeyCopies>();
  #user = "";
  #mixer = "";
  #blocks: Promise<ReservedBlocks> | undefined;
  #capture: MessagePort | undefined;
  #down = new Downsampler();
  readonly #up = new Upsampler();
  /** Totals of calls that have ended. */
  #past = NOTHING;

  constructor(tell: (message: FromMedia) => void) {
    this.#tell = tell;
  }

  take(message: ToMedia): void {
    switch (message.type) {
      case "keys":
        message.port.onmessage = ({ data }: MessageEvent<KeysToMedia>) => void this.#takeKeys(data);
        break;
      case "audio":
        this.#connect(message.capture, message.play);
        break;
      case "request":
        this.#calls.get(message.group)?.call.request(0, message);
        break;
      case "release":
        for (const { call } of this.#calls.values()) call.release();
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

  async #open(
    group: string,
    { webSocket, multiTalker }: CallDescription,
    controlSsrc: number,
  ): Promise<void> {
    const blocks = await this.#blocks;
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
    const call = new GroupCall({
      groupUri: group,
      userUri: this.#user,
      keys: this.#keysOf(group),
      mediaPort: socket.media,
      floorPort: socket.floor,
      server: { media: socket.server, floor: socket.server },
      control: this.#control,
      controlSsrc,
      mixer: this.#mixer,
      ...defined({ blocks }),
      floor: { requests: FLOOR_REQUESTS, ...(multiTalker && { multiTalker }) },
      clock: systemClock,
      now: () => systemClock.now(),
      random: systemRandom,
      onEvent: (event) => {
        if (event.type !== "floor") return;
        const { state, talker, isEmergency, position, until } = event.floor;
        const left = until === undefined ? undefined : until - systemClock.now();
        this.#gate();
        const floor = { state, talker, isEmergency, position, left, lost: event.lost };
        this.#tell({ type: "floor", group, ...floor });
      },
    });
    this.#calls.set(group, { call, socket, isHeard: false });
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
      capture.onmessage = ({ data }: MessageEvent<Float32Array>) => this.#said(this.#down.take(data));
    }
    play.onmessage = () => {
      const frame = this.#next();
      play.postMessage(frame && this.#up.take(frame));
    };
    this.#gate();
  }

  /** Frames leave the microphone's worklet while one may talk. */
  #gate(): void {
    this.#capture?.postMessage({ isOn: this.#talking() !== undefined });
  }

  #talking(): GroupCall | undefined {
    for (const { call } of this.#calls.values()) if (call.floor.state === "granted") return call;
    return undefined;
  }

  #said(frame: Int16Array): void {
    const call = this.#talking();
    if (call === undefined) return;
    try {
      const sent = call.send(frame);
      // Without a key nothing goes out, and the floor is given back.
      if (sent instanceof Promise) sent.catch(() => call.release());
    } catch {
      call.release();
    }
  }

  /** The next 20 ms of all calls together; null: silence. */
  #next(): Int16Array | null {
    const frames: Int16Array[] = [];
    for (const [group, known] of this.#calls) {
      const frame = known.call.play();
      if (frame !== undefined) {
        frames.push(frame);
        if (!known.isHeard) this.#tell({ type: "heard", group });
      }
      known.isHeard = frame !== undefined;
    }
    if (frames.length === 0) return null;
    return frames.length === 1 ? frames[0]! : mixFrames(frames, G711_FRAME);
  }

  #counts(): MediaCounts {
    return [...this.#calls.values()].map(({ call }) => countsOf(call)).reduce(sum, this.#past);
  }
}

function countsOf({ counters: { media } }: GroupCall): MediaCounts {
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
