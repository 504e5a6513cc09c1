/** Floor control of a call of MCPTT (TS 24.380 6.3). */
import { INDICATORS } from "../../../bindings/floor-control/index.ts";
import type { DatagramAddress } from "../../../transport/datagram/ports.ts";
import { FLOOR_CODEC, type FloorContent } from "../../call/control-codec.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import type { FloorOutput } from "../floor/state.ts";
import { FloorChannel } from "./floor-channel.ts";
import type { ChannelOptions, TurnControl, TurnRequests } from "./turn-control.ts";

/** Messages that may ask for an acknowledgement (TS 24.380 8.2.2); the others have their own answers. */
const ACKNOWLEDGED: readonly FloorContent["name"][] = [
  "Floor Granted",
  "Floor Taken",
  "Floor Deny",
  "Floor Idle",
  "Floor Revoke",
];

export class FloorControl implements TurnControl {
  readonly #channel: FloorChannel<FloorContent>;
  readonly #requests: TurnRequests;

  constructor(options: ChannelOptions, requests: TurnRequests) {
    this.#requests = requests;
    this.#channel = new FloorChannel({
      ...options,
      service: "mcptt",
      codec: FLOOR_CODEC,
      acknowledged: ACKNOWLEDGED,
      onMessage: (user, message) => this.#take(user, message),
    });
  }

  get counters() {
    return this.#channel.counters;
  }

  add(user: string, address: DatagramAddress, keys: ControlKeys): void {
    this.#channel.add(user, address, keys);
  }

  remove(user: string): void {
    this.#channel.remove(user);
  }

  say(output: FloorOutput): void {
    this.#channel.say(output);
  }

  /** Says nothing more: a Floor Idle or Floor Taken tells that a talk is over. */
  ended(): void {}

  voiceSsrc(): undefined {}

  mayHear(): boolean {
    return true;
  }

  #take(user: string, { name, priority = 0, mediaSsrc, indicator = 0 }: FloorContent): void {
    const isEmergency = (indicator & INDICATORS.EMERGENCY) !== 0;
    if (name === "Floor Request") this.#requests.onRequest(user, { priority, isEmergency, mediaSsrc });
    else if (name === "Floor Release") this.#requests.onRelease(user);
    else if (name === "Floor Queue Position Request") this.#requests.onPosition(user);
  }
}
