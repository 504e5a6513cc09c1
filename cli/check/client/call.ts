/**
 * The server's end of a group call with the client under test: floor control under its CSK (TS 33.180 9.4, TS 24.380), the
 * speech that it sends, and speech of another member, well protected or not.
 */
import type { Clock } from "../../../base/clock.ts";
import type { RandomSource } from "../../../base/random.ts";
import type { FloorMessage } from "../../../bindings/floor-control/index.ts";
import { DeliveredKey, type KeyId } from "../../../bindings/index.ts";
import {
  ControlSignalling,
  drawControlSsrc,
  G711_FRAME,
  GroupMedia,
  type GroupMediaKeys,
  type UnprotectedRtp,
  writeRtpPacket,
} from "../../../bindings/media/index.ts";
import { type CallDescription, isSameFormat, type SpeechFormat } from "../../../documents/sdp/call.ts";
import { FLOOR_CODEC, type FloorContent } from "../../../roles/call/control-codec.ts";
import { G711_CODECS } from "../../../roles/call/speech-codec.ts";
import type { DatagramAddress, DatagramPort } from "../../../transport/datagram/ports.ts";
import type { SipRequest, SipSession } from "../../../transport/sip/index.ts";
import { Arrivals } from "./arrivals.ts";

/** A floor control message of the client, or a packet that its CSK does not open. */
export interface FloorSeen {
  readonly call: CheckCall;
  readonly message: FloorMessage | undefined;
  readonly keyId?: KeyId;
}

/** A packet of speech of the client, or the reason why it was not taken. */
export interface SpeechSeen {
  readonly call: CheckCall;
  readonly at: number;
  readonly rtp: UnprotectedRtp | undefined;
  readonly fault?: string;
}

export interface CheckCallOptions {
  readonly media: DatagramPort;
  readonly floor: DatagramPort;
  readonly offer: CallDescription;
  readonly speech: SpeechFormat;
  /** The CSK to send under, and each that may be received under. */
  readonly sending: () => DeliveredKey | undefined;
  readonly receiving: (keyId: KeyId) => DeliveredKey | undefined;
  /** The keys of the group, as another member has them. */
  readonly groupKeys: GroupMediaKeys;
  readonly floors: Arrivals<FloorSeen>;
  readonly speeches: Arrivals<SpeechSeen>;
  readonly clock: Clock;
  readonly random: RandomSource;
}

const KEY_BYTES = 16;
/** A level that is no silence. */
const LOUD = 1056;

export class CheckCall {
  readonly #options: CheckCallOptions;
  readonly #signalling: ControlSignalling;
  readonly #ssrc: number;
  readonly #groupMedia: GroupMedia;
  readonly #talker: ReturnType<GroupMedia["sender"]>;
  #sender: { readonly key: DeliveredKey; readonly made: ReturnType<ControlSignalling["sender"]> } | undefined;
  #spoken = 0;
  /** Undefined before the client has it. */
  session: SipSession | undefined;
  /** Requests of the client within the session, the ACK among them. */
  readonly requests = new Arrivals<SipRequest>();
  isOver = false;

  constructor(options: CheckCallOptions) {
    this.#options = options;
    const { media, floor, sending, receiving, groupKeys, random } = options;
    this.#signalling = new ControlSignalling({ sending, receiving, service: "mcptt", random });
    this.#ssrc = drawControlSsrc("server", random);
    this.#groupMedia = new GroupMedia({ keys: groupKeys, service: "mcptt", random });
    this.#talker = this.#groupMedia.sender();
    floor.receive((packet) => void this.#heard(packet.slice()));
    media.receive((packet) => void this.#listened(packet.slice()));
  }

  /** Where the client sends, and what it is to speak in. */
  get description(): CallDescription {
    const { media, floor, speech } = this.#options;
    return { media: media.address, floor: floor.address, speech: [speech] };
  }

  get offer(): CallDescription {
    return this.#options.offer;
  }

  get speech(): SpeechFormat {
    return this.#options.speech;
  }

  /** Whether speech of another can be made: only that of G.711 can. */
  get canSpeak(): boolean {
    return this.#codec !== undefined;
  }

  get #codec() {
    return G711_CODECS.find(({ format }) => isSameFormat(format, this.#options.speech));
  }

  /** A floor control message under the CSK of the client. */
  async sealed(content: FloorContent): Promise<Uint8Array> {
    const key = this.#options.sending()!;
    if (this.#sender?.key !== key) this.#sender = { key, made: this.#signalling.sender(this.#ssrc) };
    const sender = await this.#sender.made;
    return (await sender.protect(FLOOR_CODEC.encode({ ...content, ssrc: this.#ssrc }))).slice();
  }

  /** The same under another key that has the number of the CSK. */
  async forged(content: FloorContent): Promise<Uint8Array> {
    const { random, sending } = this.#options;
    const { kind, keyId, ukId, rand } = sending()!;
    const other = new DeliveredKey(random(KEY_BYTES), { kind, keyId, ukId, rand });
    try {
      const signalling = new ControlSignalling({
        sending: () => other,
        receiving: () => undefined,
        service: "mcptt",
        random,
      });
      const ssrc = drawControlSsrc("server", random);
      const sender = await signalling.sender(ssrc);
      return (await sender.protect(FLOOR_CODEC.encode({ ...content, ssrc }))).slice();
    } finally {
      other.destroy();
    }
  }

  /** 20 ms of speech of another member. */
  async speechOfAnother(): Promise<Uint8Array> {
    return this.#speak(this.#talker);
  }

  /** The same under another key that has the number of the GMK. */
  async forgedSpeech(): Promise<Uint8Array> {
    const { random, groupKeys } = this.#options;
    const { kind, keyId, ukId, rand } = groupKeys.sending()!;
    const other = new DeliveredKey(random(KEY_BYTES), { kind, keyId, ukId, rand });
    try {
      const keys = { sending: () => other, receiving: () => undefined };
      return await this.#speak(new GroupMedia({ keys, service: "mcptt", random }).sender());
    } finally {
      other.destroy();
    }
  }

  sendFloor(packet: Uint8Array): Promise<void> {
    return send(this.#options.floor, packet, this.offer.floor);
  }

  sendSpeech(packet: Uint8Array): Promise<void> {
    return send(this.#options.media, packet, this.offer.media);
  }

  async close(): Promise<void> {
    this.isOver = true;
    await Promise.all([this.#options.media.close(), this.#options.floor.close()]);
  }

  async #speak(sender: ReturnType<GroupMedia["sender"]>): Promise<Uint8Array> {
    const { type } = this.#options.speech;
    const { encoder, timestampStep } = this.#codec!;
    const number = this.#spoken++;
    const fields = {
      marker: number === 0,
      payloadType: type,
      sequenceNumber: number & 0xffff,
      timestamp: number * timestampStep,
      ssrc: sender.ssrc,
    };
    const payload = await encoder()(new Int16Array(G711_FRAME).fill(LOUD));
    return (await sender.protect(writeRtpPacket(fields, payload))).slice();
  }

  async #heard(packet: Uint8Array): Promise<void> {
    const taken = await this.#signalling.receiver.unprotect(packet);
    const { floors } = this.#options;
    if (!taken.ok) return floors.add({ call: this, message: undefined });
    const keyId = new DataView(taken.mki.buffer, taken.mki.byteOffset).getUint32(0);
    floors.add({ call: this, message: FLOOR_CODEC.decode(taken.packet), keyId });
  }

  async #listened(packet: Uint8Array): Promise<void> {
    const { speeches, clock } = this.#options;
    const taken = await this.#groupMedia.receive(packet);
    const seen = { call: this, at: clock.now() };
    if (!taken.ok) return speeches.add({ ...seen, rtp: undefined, fault: taken.fault });
    // Its octets may be shared with packets that come later.
    speeches.add({ ...seen, rtp: { ...taken, packet: taken.packet.slice(), mki: taken.mki.slice() } });
  }
}

function send(port: DatagramPort, packet: Uint8Array, to: DatagramAddress): Promise<void> {
  return new Promise((resolve) => port.send(packet, to, () => resolve()));
}
