/** Keys of control signalling on-network (TS 33.180 9.4), as who uploads and receives them holds them. */
import type { DeliveredKey, KeyId } from "../../bindings/index.ts";
import type { ControlStreams } from "./control-streams.ts";

export interface ControlKeys {
  /** The streams that came under them, for as long as they may be used. */
  readonly streams: ControlStreams;
  /** The CSK to send under; undefined: none is uploaded. */
  sending(): DeliveredKey | undefined;
  /** A CSK or MuSiK that may be received under. */
  receiving(keyId: KeyId): DeliveredKey | undefined;
  /** The peer has sent something authentic under it. */
  used?(keyId: KeyId): void;
}
