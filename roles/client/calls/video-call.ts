/**
 * A member's end of an MCVideo call by way of a server (TS 24.281 9.2): pictures under the GMK, transmission control under the
 * CSK (TS 24.581 6.2). The pictures are encoded and decoded elsewhere: here they are the payloads of RTP packets.
 */
import { type Clock, Timer } from "../../../base/clock.ts";
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { andThen } from "../../../base/maybe-promise.ts";
import type { RandomSource } from "../../../base/random.ts";
import {
  GroupMedia,
  type GroupMediaKeys,
  type GroupMediaSender,
  type IndexBlocks,
  isRtcp,
  type MediaFault,
  readGroupMki,
  rtpPayload,
  type UnprotectedRtp,
  writeRtpPacket,
} from "../../../bindings/media/index.ts";
import { RECEPTION_MODES, type TransmissionMessage } from "../../../bindings/transmission-control/index.ts";
import type { MediaFormat, VideoCallDescription } from "../../../documents/sdp/video-call.ts";
import { addressKey, type DatagramPort } from "../../../transport/datagram/ports.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import { Identities } from "../../call/identities.ts";
import { NO_FAULTS } from "../../call/media-faults.ts";
import {
  acknowledgementOf,
  heardByParticipant,
  participantWords,
  TRANSMISSION_CODEC,
  type TransmissionContent,
} from "../../call/transmission-codec.ts";
import { closed } from "./call-media.ts";
import { ControlChannel, type ControlCounters } from "./control-channel.ts";
import type { FloorChange, FloorView } from "./floor.ts";
import { FloorParticipant, type ParticipantConfig } from "./floor-participant.ts";

/** A payload that another member has sent. */
export interface ReceivedVideo {
  /** MC service user ID by the GUK-ID; undefined: no member that is known of. */
  readonly user: string | undefined;
  readonly ssrc: number;
  readonly payload: Uint8Array;
  readonly sequenceNumber: number;
  /** The time of the picture in steps of 90,000 Hz (RFC 6184 8.2.1). */
  readonly timestamp: number;
  /** Whether it is the last one of a picture. */
  readonly marker: boolean;
}

/** T103 and C103 of TS 24.581 11: a Receive Media Request is sent again. */
const RECEIVE_REPEAT_MS = 1000;
const RECEIVE_REQUESTS = 3;

export interface VideoCallOptions {
  readonly groupUri: string;
  readonly userUri: string;
  /** The keys of the group, as `ringKeys` gives them. */
  readonly keys: GroupMediaKeys;
  /** The call closes its ports. */
  readonly videoPort: DatagramPort;
  readonly controlPort: DatagramPort;
  /** The server's answer. */
  readonly server: VideoCallDescription;
  /** The SSRC that was offered. */
  readonly ssrc: number;
  readonly control: ControlKeys;
  /** SSRC of transmission control; drawn when absent. */
  readonly controlSsrc?: number;
  /** The known users of the group, to name who transmits. */
  readonly members?: () => readonly string[];
  readonly blocks?: IndexBlocks;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly config?: Partial<ParticipantConfig>;
  /** Who may transmit has changed: `state` of `FloorView` is "granted" while this member may. */
  readonly onTransmission?: (change: FloorChange) => void;
  readonly onVideo?: (video: ReceivedVideo) => void;
}

export interface VideoCounters {
  /** Packets handed to the network. */
  readonly sent: number;
  /** Packets that could not be protected, or that the network did not take. */
  readonly failed: number;
  /** Packets from an address that is not the server's. */
  readonly strangers: number;
  /** Packets that were decrypted. */
  readonly received: number;
  /** Packets that were not decrypted. */
  readonly refused: Readonly<Record<MediaFault, number>>;
  readonly control: Readonly<ControlCounters>;
}

export class VideoCall {
  readonly groupUri: string;
  /** The format of the call. */
  readonly format: MediaFormat;
  readonly #options: VideoCallOptions;
  readonly #media: GroupMedia;
  readonly #identities: Identities;
  readonly #channel: ControlChannel<TransmissionContent>;
  readonly #floor: FloorParticipant;
  readonly #counted = { sent: 0, failed: 0, strangers: 0, received: 0 };
  readonly #refused = { ...NO_FAULTS };
  readonly #receiving: Timer;
  #stream: GroupMediaSender;
  #sequenceNumber: number;
  #isClosed = false;

  /** @throws {MikeySakkeError} codec `BAD_SDP`: an answer without a format of video */
  constructor(options: VideoCallOptions) {
    this.#options = options;
    const { groupUri, userUri, keys, members = () => [], blocks, clock, random, config } = options;
    const [format] = options.server.video.formats;
    if (format === undefined) {
      throw new MikeySakkeError("codec", "BAD_SDP", "SDP: an answer without a format of video");
    }
    this.groupUri = groupUri;
    this.format = format;
    this.#media = new GroupMedia({ keys, service: "mcvideo", random, ...defined({ blocks }) });
    this.#stream = this.#media.sender(options.ssrc);
    this.#identities = new Identities(keys, members);
    this.#receiving = new Timer(clock);
    const start = random(2);
    // RFC 3711 3.3.1: in the lower half, so that no loss at the start hides a wrap.
    this.#sequenceNumber = ((start[0]! << 8) | start[1]!) & 0x7fff;
    this.#channel = new ControlChannel({
      keys: options.control,
      service: "mcvideo",
      codec: TRANSMISSION_CODEC,
      port: options.controlPort,
      server: options.server.control,
      ssrc: options.controlSsrc,
      random,
      onMessage: (message) => this.#take(message),
    });
    this.#floor = new FloorParticipant({
      userUri,
      mediaSsrc: options.ssrc,
      clock,
      // The transmission of another does not end one's own: a Transmission Revoked does.
      config: { multiTalker: true, ...config },
      send: (content) => {
        const words = participantWords(content);
        if (words !== undefined) this.#channel.send(words);
      },
      onChange: (change) => options.onTransmission?.(change),
    });
    this.#listen();
  }

  /** Who transmits, and whether this member may. */
  get transmission(): FloorView {
    return this.#floor.view;
  }

  get counters(): VideoCounters {
    return { ...this.#counted, refused: { ...this.#refused }, control: { ...this.#channel.counters } };
  }

  /**
   * Asks to transmit; 0 is the lowest priority, 255 the highest.
   *
   * @throws {MikeySakkeError} usage `NO_CONTROL_KEY`, `CALL_CLOSED`
   */
  request(priority = 0): void {
    if (this.#isClosed) throw closed();
    this.#channel.check();
    this.#floor.request(priority);
  }

  /** Ends the transmission, or takes the request for it back. */
  release(): void {
    if (!this.#isClosed) this.#floor.release();
  }

  /**
   * Sends one payload. `timestamp` is that of the picture, of 90,000 Hz; `marker` is set for its last payload.
   *
   * @throws {MikeySakkeError} usage `FLOOR_NOT_GRANTED`, `NO_GROUP_KEY`
   */
  send(payload: Uint8Array, timestamp: number, marker: boolean): void | Promise<void> {
    if (this.#isClosed || this.#floor.view.state !== "granted") throw notGranted();
    const fields = {
      marker,
      payloadType: this.format.type,
      sequenceNumber: this.#sequenceNumber,
      timestamp: timestamp >>> 0,
      ssrc: this.#stream.ssrc,
    };
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    return andThen(this.#stream.protect(writeRtpPacket(fields, payload)), (packet) => {
      const { videoPort, server } = this.#options;
      videoPort.send(packet, server.video.address, (failed) => {
        if (failed) this.#counted.failed++;
        else this.#counted.sent++;
      });
    });
  }

  /** Sends and receives no more; that the call has ended, signalling says. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#floor.close();
    this.#receiving.clear();
    const { videoPort, controlPort } = this.#options;
    await Promise.all([videoPort.close(), controlPort.close()]);
  }

  #listen(): void {
    const { videoPort, server } = this.#options;
    const only = addressKey(server.video.address);
    videoPort.receive((packet, from) => {
      if (addressKey(from) !== only) this.#counted.strangers++;
      // Feedback on the media is of no use here, where nothing is encoded.
      else if (!isRtcp(packet)) this.#receive(packet);
    });
  }

  #receive(packet: Uint8Array): void {
    const taken = andThen(this.#media.receive(packet), (result) => {
      if (result.ok) this.#received(result);
      else this.#refused[result.fault]++;
    });
    if (taken instanceof Promise) taken.catch(() => void this.#counted.failed++);
  }

  #received({ packet, header, mki }: UnprotectedRtp): void {
    const payload = rtpPayload(packet, header);
    if (this.#isClosed || header.payloadType !== this.format.type || payload === undefined) return;
    this.#counted.received++;
    this.#floor.heard();
    const { ssrc, sequenceNumber, timestamp, marker } = header;
    const user = this.#identities.userOf(readGroupMki(mki));
    this.#options.onVideo?.({ user, ssrc, payload, sequenceNumber, timestamp, marker });
  }

  #take(message: TransmissionMessage): void {
    if (this.#isClosed) return;
    const { name, transmitter, receptionMode, audioSsrc, videoSsrc } = message;
    if (message.ackRequired) this.#channel.send(acknowledgementOf(message, "PARTICIPANT"));
    if (name === "Transmission Granted") this.#sendUnder(videoSsrc);
    if (name === "Media Transmission Notification" && transmitter !== undefined) {
      this.#identities.name(transmitter);
      const request = {
        name: "Receive Media Request",
        ...defined({ transmitter, audioSsrc, videoSsrc }),
      } as const;
      if (receptionMode === RECEPTION_MODES.MANUAL) this.#askFor(request, RECEIVE_REQUESTS);
    } else if (ANSWERS_TO_RECEIVE.includes(name)) this.#receiving.clear();
    const heard = heardByParticipant(message);
    if (heard !== undefined) this.#floor.take(heard);
  }

  /** Asks for a transmission until the server has answered (TS 24.581 6.2.5.3.3). */
  #askFor(request: TransmissionContent, times: number): void {
    this.#channel.send(request);
    if (times === 1) this.#receiving.clear();
    else this.#receiving.set(RECEIVE_REPEAT_MS, () => this.#askFor(request, times - 1));
  }

  /** TS 24.581 6.2.4.4.6: the server may have another SSRC for the stream than the one that was offered. */
  #sendUnder(ssrc: number | undefined): void {
    if (ssrc !== undefined && ssrc !== this.#stream.ssrc) this.#stream = this.#media.sender(ssrc);
  }
}

/** Messages after which nothing is left to be asked for. */
const ANSWERS_TO_RECEIVE: readonly TransmissionContent["name"][] = [
  "Receive Media Response",
  "Transmission End Notify",
  "Transmission Idle",
];

function notGranted(): MikeySakkeError {
  const text = "no permission to transmit: ask for it first";
  return new MikeySakkeError("usage", "FLOOR_NOT_GRANTED", text);
}
