/** A member's end of a group call by way of a server: speech under the GMK, floor control under the CSK. */

import type { Clock } from "../../../base/clock.ts";
import { defined } from "../../../base/defined.ts";
import type { FloorMessage } from "../../../bindings/floor-control/index.ts";
import type { CallDescription, SpeechFormat } from "../../../documents/sdp/call.ts";
import type { DatagramPort } from "../../../transport/datagram/ports.ts";
import { FLOOR_CODEC, type FloorContent } from "../../call/control-codec.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import type { MediaCounters } from "./call-events.ts";
import { CallMedia, type CallMediaOptions, closed } from "./call-media.ts";
import { ControlChannel, type ControlCounters } from "./control-channel.ts";
import { FloorCall } from "./floor-call.ts";
import { FloorParticipant, type ParticipantConfig } from "./floor-participant.ts";

/** The server at which a call is. */
export interface CallPlace {
  /** The server's answer: its addresses, and the format of speech. */
  readonly server: Pick<CallDescription, "media" | "floor" | "speech">;
  /** Ports that hear the multicast groups of the server's answer. */
  readonly multicast?: { readonly media: DatagramPort; readonly floor: DatagramPort };
  readonly control: ControlKeys;
  /** SSRC of floor control; drawn when absent. With several calls under one CSK, each needs its own. */
  readonly controlSsrc?: number;
}

export interface GroupCallOptions extends CallMediaOptions, CallPlace {
  readonly groupUri: string;
  /** `keys` are those of the group: `ringKeys`. The call closes its ports. */
  readonly floorPort: DatagramPort;
  readonly clock: Clock;
  readonly floor?: Partial<ParticipantConfig>;
}

export interface GroupCallCounters {
  readonly media: MediaCounters;
  readonly floor: Readonly<ControlCounters>;
}

export class GroupCall extends FloorCall {
  readonly groupUri: string;
  readonly #options: GroupCallOptions;
  readonly #media: CallMedia;
  #channel: ControlChannel<FloorContent>;
  #multicast: GroupCallOptions["multicast"];
  readonly #floor: FloorParticipant;

  constructor(options: GroupCallOptions) {
    super(options.onEvent);
    const { groupUri, userUri, server, multicast, control, clock, floor } = options;
    this.groupUri = groupUri;
    this.#options = options;
    this.#media = new CallMedia(options, {
      to: server.media,
      from: server.media,
      multicast: multicast?.media,
      several: floor?.multiTalker,
      speech: server.speech,
      onHeard: () => this.#floor.heard(),
    });
    this.#floor = new FloorParticipant({
      userUri,
      mediaSsrc: this.#media.ssrc,
      clock,
      ...defined({ config: floor }),
      send: (message) => this.#channel.send(message),
      onChange: (change) => this.changed(change),
    });
    this.talkBy(this.#media, this.#floor);
    this.#multicast = multicast;
    this.#channel = this.#channelTo(options, control);
  }

  /** The server is gone. What is said goes nowhere until `moveTo`; who talked or waits for the floor asks again then. */
  away(): void {
    if (!this.isClosed) this.#floor.away();
  }

  /** Goes on at another server. What is heard and said are the streams of before. */
  async moveTo(place: CallPlace): Promise<void> {
    const before = this.#multicast?.floor;
    this.#multicast = place.multicast;
    if (this.isClosed) {
      await Promise.all([place.multicast?.media.close(), place.multicast?.floor.close()]);
      return;
    }
    this.#channel = this.#channelTo(place, place.control);
    const moving = this.#media.moveTo(place.server, place.multicast?.media);
    this.#floor.back();
    await Promise.all([moving, before?.close()]);
  }

  /**
   * The server has told that the call goes on in another format: the first of these is talked in from now on. What comes is
   * heard in whichever of the formats it is.
   *
   * @throws {MikeySakkeError} codec `BAD_SDP`: a format that there is no codec for
   */
  talkIn(speech: readonly SpeechFormat[]): void {
    this.#media.talkIn(speech);
  }

  #channelTo(
    { server, multicast, controlSsrc }: Omit<CallPlace, "control">,
    keys: ControlKeys,
  ): ControlChannel<FloorContent> {
    const { service = "mcptt", floorPort, random } = this.#options;
    return new ControlChannel({
      keys,
      service,
      codec: FLOOR_CODEC,
      port: floorPort,
      server: server.floor,
      multicast: multicast?.floor,
      ssrc: controlSsrc,
      random,
      onMessage: (message) => this.#take(message),
    });
  }

  get counters(): GroupCallCounters {
    return { media: this.#media.counters, floor: { ...this.#channel.counters } };
  }

  /**
   * Asks for the floor; 0 is the lowest priority, 255 the highest. An emergency takes the floor from others. Who waits or
   * talks already can make that an emergency.
   *
   * @throws MikeySakkeError usage `NO_CONTROL_KEY`, `CALL_CLOSED`
   */
  request(priority = 0, { isEmergency = false }: { readonly isEmergency?: boolean } = {}): void {
    if (this.isClosed) throw closed();
    this.#channel.check();
    this.#floor.request(priority, isEmergency);
  }

  /** 6.2.2: says and hears no more; that the call has ended, signalling says. */
  async close(): Promise<void> {
    this.end();
    this.#floor.close();
    const { floorPort } = this.#options;
    await Promise.all([this.#media.close(), floorPort.close(), this.#multicast?.floor.close()]);
  }

  #take(message: FloorMessage): void {
    if (this.isClosed) return;
    if (message.name === "Floor Taken") this.#media.named(message.grantedParty, message.mediaSsrc);
    else if (message.name === "Floor Idle") this.#media.freed();
    this.#floor.take(message);
  }
}
