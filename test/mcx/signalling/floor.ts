/** Turns at talking in a call on sockets of this machine, in real time. */
import type { GroupCall } from "../../../roles/client/calls/index.ts";
import { say } from "../../client/calls/say.ts";
import { until } from "./mcx-server.ts";

type Call = Pick<GroupCall, "request" | "release" | "send" | "play"> & {
  readonly floor: { readonly state: string };
};

/** States of who neither talks nor waits for the floor. */
const RESTING: readonly string[] = ["idle", "taken"];
/** Frames that a jitter buffer may hold back, and some for the way. */
const TAIL = 15;

export async function takeFloor(call: Call): Promise<void> {
  call.request();
  await until(() => call.floor.state === "granted");
}

export async function giveFloor(call: Call): Promise<void> {
  call.release();
  await until(() => RESTING.includes(call.floor.state));
}

/** The talker takes the floor, says so many frames and keeps it. Returns the numbers of those that each listener heard. */
export async function talk(talker: Call, listeners: readonly Call[], frames: number): Promise<number[][]> {
  await takeFloor(talker);
  return say(talker, listeners, frames, { tail: TAIL });
}

/** The same, and gives the floor back. */
export async function takeTurn(
  talker: Call,
  listeners: readonly Call[],
  frames: number,
): Promise<number[][]> {
  const heard = await talk(talker, listeners, frames);
  await giveFloor(talker);
  return heard;
}
