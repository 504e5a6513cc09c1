/** The messages of a control channel as octets, for both of its ends: floor control, or transmission control of video. */
import { MikeySakkeError } from "../../base/errors.ts";
import {
  decodeFloorMessage,
  encodeFloorMessage,
  type FloorMessage,
} from "../../bindings/floor-control/index.ts";

/** The contents of a control message: everything but the SSRC of its sender. */
export interface ControlContent {
  readonly name: string;
  /** Asks for an acknowledgement. */
  readonly ackRequired?: boolean;
  readonly sequenceNumber?: number;
}

export interface WithSsrc {
  /** SSRC of the sender of the message. */
  readonly ssrc: number;
}

export interface ControlCodec<C extends ControlContent> {
  /** Throws where the message has a value that its field cannot carry. */
  encode(message: C & WithSsrc): Uint8Array;
  /** Returns undefined for octets that are no such message. */
  decode(octets: Uint8Array): (C & WithSsrc) | undefined;
}

export type FloorContent = Omit<FloorMessage, "ssrc">;

export const FLOOR_CODEC: ControlCodec<FloorContent> = {
  encode: encodeFloorMessage,
  decode: (octets) => readOrNothing(decodeFloorMessage, octets),
};

export function readOrNothing<M>(read: (octets: Uint8Array) => M, octets: Uint8Array): M | undefined {
  try {
    return read(octets);
  } catch (error) {
    if (error instanceof MikeySakkeError) return undefined;
    throw error;
  }
}
