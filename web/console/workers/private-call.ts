/** The media of a private call that the user has placed. */
import { systemClock } from "../../../base/clock.ts";
import { systemRandom } from "../../../base/random.ts";
import { ServerFloor } from "../../../roles/client/calls/floor-with-server.ts";
import { PrivateCall } from "../../../roles/client/calls/private-call.ts";
import type { PrivateCallOpened } from "../../client/messages.ts";
import { deliveredKey } from "../../client/workers/held-keys.ts";
import type { PrivateCallParts } from "../../client/workers/media.ts";

export function privateCallOf(
  { user, pck, answer, controlSsrc }: PrivateCallOpened,
  { userUri, control, codecs, socket: { media, floor, server }, onEvent }: PrivateCallParts,
): PrivateCall {
  const key = { pck: deliveredKey(pck), side: "initiator" as const };
  const [random, clock] = [systemRandom, systemClock];
  const now = () => clock.now();
  const { speech } = answer;
  return new PrivateCall(
    { key, peerUri: user, mediaPort: media, to: server, codecs, speech, now, random, onEvent },
    (ofCall, onChange) => {
      const ways = { keys: control, service: "mcptt" as const, port: floor, server, ssrc: controlSsrc };
      return new ServerFloor({ ...ways, random, userUri, clock }, ofCall, onChange);
    },
  );
}
