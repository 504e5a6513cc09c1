/** Keys of control signalling on-network (TS 33.180 9.4), as who uploads and receives them holds them. */
import type { DeliveredKey, KeyId } from "../../../bindings/index.ts";

export interface ControlKeys {
  /** The CSK to send under; undefined: none is uploaded. */
  sending(): DeliveredKey | undefined;
  /** A CSK or MuSiK that may be received under. */
  receiving(keyId: KeyId): DeliveredKey | undefined;
  /** The peer has sent something authentic under it. */
  used?(keyId: KeyId): void;
}
