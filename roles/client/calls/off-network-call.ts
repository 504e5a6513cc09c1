/**
 * A group call among members alone, by multicast: speech and floor control under keys of the GMK (TS 33.180 7.4.1,
 * 9.4.6).
 */

import type { Clock } from "../../../base/clock.ts";
import { defined } from "../../../base/defined.ts";
import { andThen } from "../../../base/maybe-promise.ts";
import { encodeFloorMessage, type FloorMessage } from "../../../bindings/floor-control/index.ts";
import { readGroupMki, readRtcpSsrc, type UnprotectedRtcp } from "../../../bindings/media/index.ts";
import type { DatagramAddress, DatagramPort } from "../../../transport/datagram/ports.ts";
import { InOrder } from "../../call/in-order.ts";
import { readFloorMessage } from "../../call/read-floor-message.ts";
import type { MediaCounters } from "./call-events.ts";
import { CallMedia, type CallMediaOptions, closed, noKey, notGranted } from "./call-media.ts";
import type { ControlCounters } from "./control-channel.ts";
import type { FloorChange, FloorContent, FloorView } from "./floor.ts";
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

export class OffNetworkCall {
  readonly groupUri: string;
  readonly #options: OffNetworkCallOptions;
  readonly #media: CallMedia;
  readonly #floor: OffNetworkFloor;
  readonly #order = new InOrder();
  readonly #counted = { sent: 0, failed: 0, received: 0, refused: 0, stale: 0, impostors: 0 };
  #maySpeak = false;
  #isClosed = false;

  constructor(options: OffNetworkCallOptions) {
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
      send: (message) => this.#send(message),
      onChange: (change) => this.#changed(change),
    });
    floorPort.receive((packet, from) => this.#receive(packet, from));
  }

  get floor(): FloorView {
    return this.#floor.view;
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
    if (this.#isClosed) throw closed();
    if (this.#options.keys.sending() === undefined) throw noKey();
    this.#floor.request(priority);
  }

  /** Gives the floor to who waits first, or gives up waiting. */
  release(): void {
    if (!this.#isClosed) this.#floor.release();
  }

  /**
   * Says 160 samples, 20 ms.
   *
   * @throws MikeySakkeError usage `FLOOR_NOT_GRANTED`, `NO_GROUP_KEY`, `BAD_FRAME`
   */
  send(frame: Int16Array): void | Promise<void> {
    if (this.#isClosed || this.#floor.view.state !== "granted") throw notGranted();
    return this.#media.send(frame);
  }

  /** Nothing has been said for a while: what is said next does not follow on what was said last. */
  pause(): void {
    this.#media.sender.begin();
  }

  /** The next 20 ms of what is heard, all talkers together; undefined: silence. */
  play(): Int16Array | undefined {
    return this.#media.play();
  }

  /** Gives the floor back before. */
  async close(): Promise<void> {
    if (!this.#isClosed) this.#floor.close();
    this.#isClosed = true;
    await Promise.all([this.#media.close(), this.#options.floorPort.close()]);
  }

  /** Never throws: what did not leave is counted, and is sent again by its timer. */
  #send(content: FloorContent): void {
    const fail = () => void this.#counted.failed++;
    try {
      const { stream } = this.#media.sender;
      const sealed = stream.protectRtcp(encodeFloorMessage({ ...content, ssrc: stream.ssrc }));
      if (sealed instanceof Promise) sealed.then((packet) => this.#transmit(packet)).catch(fail);
      else this.#transmit(sealed);
    } catch {
      fail();
    }
  }

  #transmit(packet: Uint8Array): void {
    const { floorPort, group } = this.#options;
    floorPort.send(packet, group.floor, (failed) => {
      if (failed) this.#counted.failed++;
      else this.#counted.sent++;
    });
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
    const message = readFloorMessage(taken.packet);
    if (this.#isClosed || message === undefined) {
      this.#counted.refused++;
      return;
    }
    if (!this.#order.isNext(InOrder.streamOf(taken), taken.index)) {
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

  #changed(change: FloorChange): void {
    const isGranted = change.floor.state === "granted";
    if (isGranted && !this.#maySpeak) this.#media.sender.begin();
    this.#maySpeak = isGranted;
    this.#options.onEvent?.({ type: "floor", ...change });
  }
}

/** The claimed sender. In other messages, the User ID is that of the addressee. */
export function claimedSender({ name, userId, grantedParty }: FloorMessage): string | undefined {
  if (name === "Floor Taken") return grantedParty;
  const isOwn = name === "Floor Request" || name === "Floor Release" || name === "Floor Granted";
  return isOwn ? userId : undefined;
}
