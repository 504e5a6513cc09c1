/** Floor control of a private call between two clients alone: SRTCP under the PCK (TS 33.180 9.4.6, TS 24.380 7.2). */

import type { Clock } from "../../../base/clock.ts";
import { defined } from "../../../base/defined.ts";
import { andThen } from "../../../base/maybe-promise.ts";
import type { UnprotectedRtcp } from "../../../bindings/media/index.ts";
import { addressKey, type DatagramAddress, type DatagramPort } from "../../../transport/datagram/ports.ts";
import { FLOOR_CODEC } from "../../call/control-codec.ts";
import { MessageOrder } from "../../call/message-order.ts";
import type { ControlCounters } from "./control-channel.ts";
import type { FloorChange } from "./floor.ts";
import { floorSender } from "./floor-sender.ts";
import { claimedSender } from "./off-network-call.ts";
import { type OffNetworkConfig, OffNetworkFloor } from "./off-network-floor.ts";
import type { FloorEnd } from "./private-call.ts";
import type { PrivateCallMedia } from "./private-call-media.ts";

export interface PeerFloorOptions {
  readonly userUri: string;
  readonly peerUri: string;
  readonly floorPort: DatagramPort;
  readonly to: DatagramAddress;
  readonly clock: Clock;
  readonly config?: Partial<OffNetworkConfig> | undefined;
}

export class PeerFloor implements FloorEnd {
  readonly counters: ControlCounters = { sent: 0, failed: 0, received: 0, refused: 0, stale: 0 };
  readonly #options: PeerFloorOptions;
  readonly #media: PrivateCallMedia;
  readonly #floor: OffNetworkFloor;
  readonly #order = new MessageOrder();

  constructor(options: PeerFloorOptions, media: PrivateCallMedia, onChange: (change: FloorChange) => void) {
    const { userUri, clock, config, floorPort, to } = options;
    this.#options = options;
    this.#media = media;
    this.#floor = new OffNetworkFloor({
      userUri,
      ssrc: media.ssrc,
      clock,
      ...defined({ config }),
      send: floorSender(() => media.sender.stream, floorPort, to, this.counters),
      onChange,
    });
    const from = addressKey(to);
    floorPort.receive((packet, address) => {
      if (addressKey(address) === from) this.#receive(packet);
      else this.counters.refused++;
    });
  }

  get view() {
    return this.#floor.view;
  }

  request(priority: number): void {
    this.#floor.request(priority);
  }

  release(): void {
    this.#floor.release();
  }

  heard(ssrc: number): void {
    this.#floor.heard(ssrc, this.#options.peerUri);
  }

  async close(): Promise<void> {
    this.#floor.close();
    await this.#options.floorPort.close();
  }

  #receive(packet: Uint8Array): void {
    const refuse = () => void this.counters.refused++;
    const result = andThen(this.#media.receiveRtcp(packet), (taken) => {
      if (taken.ok) this.#take(taken);
      else refuse();
    });
    if (result instanceof Promise) result.catch(refuse);
  }

  #take(taken: UnprotectedRtcp): void {
    const { peerUri } = this.#options;
    const message = FLOOR_CODEC.decode(taken.packet);
    const claimed = message && claimedSender(message);
    if (message === undefined || (claimed !== undefined && claimed !== peerUri)) {
      this.counters.refused++;
      return;
    }
    if (!this.#order.isNext(MessageOrder.streamOf(taken), taken.index)) {
      this.counters.stale++;
      return;
    }
    this.counters.received++;
    this.#floor.take(message);
  }
}
