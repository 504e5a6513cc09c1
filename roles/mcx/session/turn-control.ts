/** How a call says who may talk or transmit, and hears who wants to: the server's end of its control channel. */
import type { DatagramAddress } from "../../../transport/datagram/ports.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import type { FloorOutput } from "../floor/state.ts";
import type { FloorChannelOptions, FloorCounters } from "./floor-channel.ts";

/** The requests of participants, which the call decides on. */
export interface TurnRequests {
  readonly onRequest: (
    user: string,
    request: {
      readonly priority: number;
      readonly isEmergency: boolean;
      readonly mediaSsrc: number | undefined;
    },
  ) => void;
  readonly onRelease: (user: string) => void;
  readonly onPosition: (user: string) => void;
}

/** The options of the channel that do not depend on its messages. */
export type ChannelOptions = Omit<
  FloorChannelOptions<never>,
  "service" | "codec" | "acknowledged" | "onMessage"
>;

/** The SSRCs that a participant wants to have; what is undefined the server draws, or the participant says. */
export interface WantedSsrcs {
  readonly video?: number | undefined;
  readonly voice?: number | undefined;
}

export interface TurnControl {
  readonly counters: Readonly<FloorCounters>;
  add(user: string, address: DatagramAddress, keys: ControlKeys, ssrcs: WantedSsrcs): void;
  remove(user: string): void;
  /** Says what the arbiter has decided. */
  say(output: FloorOutput): void;
  /** The user does not talk or transmit any more. Called before what follows from it is said. */
  ended(user: string): void;
  /** The SSRC under which the user sends audio beside video; undefined where they do not, or may choose it. */
  voiceSsrc(user: string): number | undefined;
  /** Whether the media of one participant go to another. */
  mayHear(listener: string, talker: string): boolean;
}
