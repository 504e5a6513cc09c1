/** Floor control of a private call by way of a server: SRTCP under the CSK (TS 33.180 9.4, TS 24.380 6.2.4). */
import type { Clock } from "../../../base/clock.ts";
import { defined } from "../../../base/defined.ts";
import { FLOOR_CODEC, type FloorContent } from "../../call/control-codec.ts";
import { ControlChannel, type ControlChannelOptions } from "./control-channel.ts";
import type { FloorChange } from "./floor.ts";
import { FloorParticipant, type ParticipantConfig } from "./floor-participant.ts";
import type { FloorEnd } from "./private-call.ts";

export interface ServerFloorOptions
  extends Omit<ControlChannelOptions<FloorContent>, "codec" | "onMessage" | "multicast"> {
  readonly userUri: string;
  readonly clock: Clock;
  readonly config?: Partial<ParticipantConfig> | undefined;
}

export class ServerFloor implements FloorEnd {
  readonly #options: ServerFloorOptions;
  readonly #channel: ControlChannel<FloorContent>;
  readonly #floor: FloorParticipant;

  constructor(
    options: ServerFloorOptions,
    media: { readonly ssrc: number },
    onChange: (change: FloorChange) => void,
  ) {
    const { userUri, clock, config } = options;
    this.#options = options;
    this.#channel = new ControlChannel({
      ...options,
      codec: FLOOR_CODEC,
      onMessage: (message) => this.#floor.take(message),
    });
    this.#floor = new FloorParticipant({
      userUri,
      mediaSsrc: media.ssrc,
      clock,
      ...defined({ config }),
      send: (message) => this.#channel.send(message),
      onChange,
    });
  }

  get view() {
    return this.#floor.view;
  }

  get counters() {
    return this.#channel.counters;
  }

  request(priority: number): void {
    this.#channel.check();
    this.#floor.request(priority);
  }

  release(): void {
    this.#floor.release();
  }

  heard(): void {
    this.#floor.heard();
  }

  async close(): Promise<void> {
    this.#floor.close();
    await this.#options.port.close();
  }
}
