/**
 * A group call among members alone, by multicast: speech and floor control under keys of the GMK (TS 33.180 7.4.1,
 * 9.4.6).
 */

import type { Clock } from "../../../base/clock.ts";
import { defined } from "../../../base/defined.ts";
import { andThen } from "../../../base/maybe-promise.ts";
import type { FloorMessage } from "../../../bindings/floor-control/index.ts";
import { readGroupMki, readRtcpSsrc, type UnprotectedRtcp } from "../../../bindings/media/index.ts";
import type { DatagramAddress, DatagramPort } from "../../../transport/datagram/ports.ts";
import { FLOOR_CODEC } from "../../call/control-codec.ts";
import { MessageOrder } from "../../call/message-order.ts";
import type { MediaCounters } from "./call-events.ts";
import { CallMedia, type CallMediaOptions, closed, noKey } from "./call-media.ts";
import type { ControlCounters } from "./control-channel.ts";
import { FloorCall } from "./floor-call.ts";
import { floorSender } from "./floor-sender.ts";
import { type OffNetworkConfig, OffNetworkFloor } from "./off-network-floor.ts";

export interface OffNetworkCallOptions extends CallMediaOptions {
  readonly groupUri: string;
  /** Both ports hear the multicast groups of `group`; the call closes them. */
  readonly floorPort: DatagramPort;
  /** Multicast groups that everything is sent to. */
  readonly group: { readonly media: DatagramAddress; readonly floor: DatagramAddress };
  readonly clock: Clock;
  readonly floor?: Partial<OffNetworkConfig>;
}

export interface OffNetworkCounters {
  readonly media: MediaCounters;
  readonly floor: Readonly<ControlCounters & { impostors: number }>;
}

export class OffNetworkCall extends FloorCall {
  readonly groupUri: string;
  readonly #options: OffNetworkCallOptions;
  readonly #media: CallMedia;
  readonly #floor: OffNetworkFloor;
  readonly #order = new MessageOrder();
  readonly #counted = { sent: 0, failed: 0, received: 0, refused: 0, stale: 0, impostors: 0 };

  constructor(options: OffNetworkCallOptions) {
    super(options.onEvent);
    const { groupUri, userUri, group, floorPort, clock, floor } = options;
    this.groupUri = groupUri;
    this.#options = options;
    this.#media = new CallMedia(options, {
      to: group.media,
      from: undefined,
      onHeard: ({ ssrc, user }) => this.#floor.heard(ssrc, user),
    });
    this.#floor = new OffNetworkFloor({
      userUri,
      ssrc: this.#media.ssrc,
      clock,
      ...defined({ config: floor }),
      send: floorSender(() => this.#media.sender.stream, floorPort, group.floor, this.#counted),
      onChange: (change) => this.changed(change),
    });
    this.talkBy(this.#media, this.#floor);
    floorPort.receive((packet, from) => this.#receive(packet, from));
  }

  get counters(): OffNetworkCounters {
    return { media: this.#media.counters, floor: { ...this.#counted } };
  }

  /**
   * Asks for the floor; 0 is the lowest priority, 255 the highest.
   *
   * @throws MikeySakkeError usage `NO_GROUP_KEY`, `CALL_CLOSED`
   */
  request(priority = 0): void {
    if (this.isClosed) throw closed();
    if (this.#options.keys.sending() === undefined) throw noKey();
    this.#floor.request(priority);
  }

  /** Gives the floor back before. */
  async close(): Promise<void> {
    if (!this.isClosed) this.#floor.close();
    this.end();
    await Promise.all([this.#media.close(), this.#options.floorPort.close()]);
  }

  #receive(packet: Uint8Array, { host }: DatagramAddress): void {
    const refuse = () => void this.#counted.refused++;
    const ssrc = readRtcpSsrc(packet);
    if (ssrc === undefined || this.#media.sources.isOther(ssrc, host)) {
      refuse();
      return;
    }
    const result = andThen(this.#media.group.receiveRtcp(packet), (taken) => {
      if (!taken.ok) return refuse();
      this.#media.sources.bind(taken.ssrc, host);
      this.#take(taken);
    });
    if (result instanceof Promise) result.catch(refuse);
  }

  #take(taken: UnprotectedRtcp): void {
    const { keys } = this.#options;
    const sender = readGroupMki(taken.mki);
    // A multicast group gives back what one sends to it.
    if (taken.ssrc === this.#media.ssrc && keys.receiving(sender.gmkId)?.ukId === sender.gukId) return;
    const message = FLOOR_CODEC.decode(taken.packet);
    if (this.isClosed || message === undefined) {
      this.#counted.refused++;
      return;
    }
    if (!this.#order.isNext(MessageOrder.streamOf(taken), taken.index)) {
      this.#counted.stale++;
      return;
    }
    const claimed = claimedSender(message);
    // 5.2.3: the GUK-ID links the message to an identity.
    if (claimed !== undefined && !this.#media.identities.isOf(sender, claimed)) {
      this.#counted.impostors++;
      return;
    }
    this.#counted.received++;
    this.#named(message);
    this.#floor.take(message);
  }

  #named({ name, ssrc, grantedParty, mediaSsrc }: FloorMessage): void {
    if (name === "Floor Taken") this.#media.named(grantedParty, ssrc);
    else if (name === "Floor Granted") this.#media.named(grantedParty, mediaSsrc);
    else if (name === "Floor Release") this.#media.freed(ssrc);
  }
}

/** The claimed sender. In other messages, the User ID is that of the addressee. */
export function claimedSender({ name, userId, grantedParty }: FloorMessage): string | undefined {
  if (name === "Floor Taken") return grantedParty;
  const isOwn = name === "Floor Request" || name === "Floor Release" || name === "Floor Granted";
  return isOwn ? userId : undefined;
}
