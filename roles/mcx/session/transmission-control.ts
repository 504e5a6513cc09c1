/**
 * Transmission and reception control of an MCVideo call (TS 24.581 6.3): who may transmit is decided by the arbiter of the
 * floor, and each participant decides whose transmission they receive.
 */
import type { RandomSource } from "../../../base/random.ts";
import { INDICATORS } from "../../../bindings/floor-control/index.ts";
import { drawSsrc } from "../../../bindings/media/used-ssrcs.ts";
import {
  RECEPTION_MODES,
  RECEPTION_REJECT_CAUSES,
  type TransmissionMessage,
} from "../../../bindings/transmission-control/index.ts";
import type { DatagramAddress } from "../../../transport/datagram/ports.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import {
  acknowledgementOf,
  serverWords,
  TRANSMISSION_CODEC,
  type TransmissionContent,
} from "../../call/transmission-codec.ts";
import type { FloorOutput } from "../floor/state.ts";
import { FloorChannel } from "./floor-channel.ts";
import type { ChannelOptions, TurnControl, TurnRequests, WantedSsrcs } from "./turn-control.ts";

/** Messages that may ask for an acknowledgement (9.2.2.1); the others have their own answers. */
const ACKNOWLEDGED: readonly TransmissionContent["name"][] = [
  "Transmission Granted",
  "Transmission Rejected",
  "Transmission Revoked",
  "Media Transmission Notification",
  "Transmission Idle",
];

export interface TransmissionControlOptions extends ChannelOptions {
  /** Whether each participant receives a transmission without having asked for it. */
  readonly isReceptionAutomatic: boolean;
  /** Takes an SSRC for the video, or the audio, of a participant; false when it is another's. */
  readonly claim: (stream: "video" | "voice", user: string, ssrc: number) => boolean;
  readonly random: RandomSource;
}

interface Streams {
  readonly audioSsrc: number;
  readonly videoSsrc: number;
}

interface Transmission {
  readonly isEmergency: boolean;
  /** Whether each participant has asked to receive it, or not to receive it any more; who has not asked is not in it. */
  readonly receptions: Map<string, boolean>;
}

export class TransmissionControl implements TurnControl {
  readonly #options: TransmissionControlOptions;
  readonly #requests: TurnRequests;
  readonly #channel: FloorChannel<TransmissionContent>;
  /** The SSRCs of each user. */
  readonly #streams = new Map<string, Streams>();
  /** The transmissions that go on, by user. */
  readonly #transmissions = new Map<string, Transmission>();

  constructor(options: TransmissionControlOptions, requests: TurnRequests) {
    this.#options = options;
    this.#requests = requests;
    this.#channel = new FloorChannel({
      ...options,
      service: "mcvideo",
      codec: TRANSMISSION_CODEC,
      acknowledged: ACKNOWLEDGED,
      onMessage: (user, message) => this.#take(user, message),
    });
  }

  get counters() {
    return this.#channel.counters;
  }

  /** Participants send under the SSRCs that they want, or where those are another's under those that are drawn here (14.3.7). */
  add(user: string, address: DatagramAddress, keys: ControlKeys, { video, voice }: WantedSsrcs): void {
    this.#streams.set(user, {
      videoSsrc: this.#ssrcOf("video", user, video),
      audioSsrc: this.#ssrcOf("voice", user, voice),
    });
    this.#channel.add(user, address, keys);
  }

  remove(user: string): void {
    this.#channel.remove(user);
    this.#streams.delete(user);
    for (const { receptions } of this.#transmissions.values()) receptions.delete(user);
  }

  say(output: FloorOutput): void {
    const { message } = output;
    const isGrant = message.name === "Floor Granted" && "to" in output;
    const transmitter = isGrant ? output.to : message.grantedParty;
    const isEmergency = ((message.indicator ?? 0) & INDICATORS.EMERGENCY) !== 0;
    if (transmitter !== undefined) {
      const receptions = this.#transmissions.get(transmitter)?.receptions ?? new Map<string, boolean>();
      this.#transmissions.set(transmitter, { isEmergency, receptions });
    }
    const streams = transmitter === undefined ? undefined : this.#streams.get(transmitter);
    const isAutomatic = this.#options.isReceptionAutomatic || isEmergency;
    const mode = RECEPTION_MODES[isAutomatic ? "AUTOMATIC" : "MANUAL"];
    const words = serverWords(message, streams, mode);
    if (words !== undefined) this.#channel.say({ ...output, message: words });
  }

  ended(user: string): void {
    this.#transmissions.delete(user);
    const about = { transmitter: user, ...this.#streams.get(user) };
    this.#channel.say({ toAllBut: user, message: { name: "Transmission End Notify", ...about } });
  }

  voiceSsrc(user: string): number | undefined {
    return this.#streams.get(user)?.audioSsrc;
  }

  mayHear(listener: string, talker: string): boolean {
    const transmission = this.#transmissions.get(talker);
    if (transmission === undefined) return false;
    const { receptions, isEmergency } = transmission;
    return receptions.get(listener) ?? (this.#options.isReceptionAutomatic || isEmergency);
  }

  #take(user: string, message: TransmissionMessage): void {
    const { name, priority = 0, indicator = 0, ackRequired } = message;
    if (ackRequired && name !== "Transmission Control Ack") {
      this.#sayTo(user, acknowledgementOf(message, "CONTROLLING"));
    }
    switch (name) {
      case "Transmission Request": {
        const isEmergency = (indicator & INDICATORS.EMERGENCY) !== 0;
        const mediaSsrc = this.#streams.get(user)?.videoSsrc;
        this.#requests.onRequest(user, { priority, isEmergency, mediaSsrc });
        break;
      }
      case "Transmission End Request":
        this.#sayTo(user, { name: "Transmission End Response" });
        this.#requests.onRelease(user);
        break;
      case "Queue Position Request":
        this.#requests.onPosition(user);
        break;
      case "Receive Media Request":
        this.#receive(user, message);
        break;
      case "Media Reception End Request":
        this.#stopReceiving(user, message);
        break;
    }
  }

  /** 6.3.7.3.4: a transmission that does not go on is refused. */
  #receive(user: string, message: TransmissionMessage): void {
    const transmitter = this.#transmitterOf(message);
    const transmission = transmitter === undefined ? undefined : this.#transmissions.get(transmitter);
    if (transmitter === undefined || transmission === undefined) {
      const cause = RECEPTION_REJECT_CAUSES.OTHER;
      this.#sayTo(user, { name: "Receive Media Response", isGranted: false, cause });
      return;
    }
    const streams = this.#streams.get(transmitter);
    transmission.receptions.set(user, true);
    this.#sayTo(user, { name: "Receive Media Response", isGranted: true, transmitter, ...streams });
    this.#sayTo(transmitter, { name: "Media Reception Notification", userId: user, ...streams });
  }

  #stopReceiving(user: string, message: TransmissionMessage): void {
    const transmitter = this.#transmitterOf(message);
    if (transmitter !== undefined) this.#transmissions.get(transmitter)?.receptions.set(user, false);
    const about = transmitter === undefined ? {} : { transmitter, ...this.#streams.get(transmitter) };
    this.#sayTo(user, { name: "Media Reception End Response", ...about });
  }

  /** The user is named, or known by one of the SSRCs. */
  #transmitterOf({ transmitter, audioSsrc, videoSsrc }: TransmissionMessage): string | undefined {
    if (transmitter !== undefined) return transmitter;
    return [...this.#transmissions.keys()].find((user) => {
      const streams = this.#streams.get(user);
      return streams !== undefined && (streams.videoSsrc === videoSsrc || streams.audioSsrc === audioSsrc);
    });
  }

  #sayTo(to: string, message: TransmissionContent): void {
    this.#channel.say({ to, message });
  }

  #ssrcOf(stream: "video" | "voice", user: string, wanted: number | undefined): number {
    const { claim, random } = this.#options;
    let ssrc = wanted ?? drawSsrc(random);
    while (!claim(stream, user, ssrc)) ssrc = drawSsrc(random);
    return ssrc;
  }
}
