/** The events that calls report to their user. */

import type { ListenerCounters, Talker, TalkerMismatch } from "../../call/listener.ts";
import type { FloorChange } from "./floor.ts";

export type CallEvent =
  | ({ readonly type: "floor" } & FloorChange)
  /** Somebody is heard for the first time, or it is known now who it is. */
  | ({ readonly type: "talker" } & Talker)
  /** Media are of another member than floor control says (TS 33.180 5.2.3). */
  | ({ readonly type: "talker-mismatch" } & TalkerMismatch);

export interface MediaCounters extends ListenerCounters {
  /** Packets handed to the network. */
  readonly sent: number;
  /** That could not be protected, or that the network did not take. */
  readonly failed: number;
  /** From an address that is not the server's, or by multicast from another host than the SSRC's. */
  readonly strangers: number;
}
