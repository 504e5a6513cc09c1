/** Tests what `talk` says of a floor that it does not get. */
import { expect, it } from "vitest";
import { DENY_CAUSES } from "../../../bindings/floor-control/index.ts";
import type { LineEvents, OpenLine } from "../../../cli/call/line.ts";
import { sayTo } from "../../../cli/call/talk.ts";

/** A call whose floor is denied for that cause. */
function deniedLine(cause: number): OpenLine {
  const floor = {
    state: "idle",
    talker: undefined,
    isEmergency: false,
    position: undefined,
    until: undefined,
  };
  return (async () => ({
    begin: async (events: LineEvents) => ({
      call: {
        floor,
        request: () => events.onEvent({ type: "floor", floor, lost: "denied", cause } as never),
      },
      hangUp: async () => undefined,
    }),
    close: async () => undefined,
  })) as unknown as OpenLine;
}

it.each([
  [DENY_CAUSES.ONLY_ONE_PARTICIPANT, "only one participant"],
  [DENY_CAUSES.RECEIVE_ONLY, "receive only"],
  [200, "cause 200"],
])("talk names the cause of a floor denial: %i", async (number, cause) => {
  const how = { speech: "g711", priority: 0, waitMs: 1000, note: () => undefined } as const;
  expect(await sayTo(deniedLine(number), new Int16Array(160), how)).toEqual({ lost: "denied", cause });
});
