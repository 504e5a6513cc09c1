/** A member of a call whose media a test sends and takes itself; floor control is that of our client. */
import { systemRandom } from "../../../bindings/index.ts";
import { readRtpHeader } from "../../../bindings/media/index.ts";
import type { SpeechFormat } from "../../../documents/sdp/call.ts";
import { GroupCall } from "../../../roles/client/calls/index.ts";
import { openUdpPort } from "../../../transport/datagram/udp-node.ts";
import { systemClock } from "../../../transport/sip/index.ts";
import { takeFloor } from "./floor.ts";
import { GROUP, MCX, type McxWorld, NAMES } from "./mcx-server.ts";

const HOST = "127.0.0.1";
/** Octets of a frame of G.711, which the client would send. */
const FRAME = 160;

export type Closers = (() => unknown)[];

/** Joins the group's call with that offer; the ports are closed by `closers`. */
export async function joinWith(
  world: McxWorld,
  user: string,
  speech: readonly SpeechFormat[],
  closers: Closers,
) {
  const { client } = await world.device(user);
  await client.bind();
  const [mediaPort, floorPort] = [await openUdpPort({ host: HOST }), await openUdpPort({ host: HOST })];
  closers.push(
    () => mediaPort.close(),
    () => floorPort.close(),
  );
  const offer = { media: mediaPort.address, floor: floorPort.address, speech };
  const joined = await client.join(GROUP, { offer });
  return { ...joined, mediaPort, floorPort };
}

export type OwnMedia = Awaited<ReturnType<typeof joinWith>>;

/** Floor control of that member. `talk` has the floor and gives the SSRC that the server binds to it. */
export function floorOf(world: McxWorld, user: string, own: OwnMedia, closers: Closers) {
  const { mediaPort, floorPort, answer, control, controlSsrc } = own;
  let ssrc: number | undefined;
  const call = new GroupCall({
    groupUri: GROUP,
    userUri: user,
    keys: world.groupKeys(user, GROUP),
    mediaPort: {
      ...mediaPort,
      send: (packet) => {
        ssrc = readRtpHeader(packet)!.ssrc;
      },
      receive: () => undefined,
      close: async () => undefined,
    },
    floorPort,
    server: { media: answer.media, floor: answer.floor },
    control,
    controlSsrc,
    mixer: MCX,
    members: () => NAMES,
    clock: systemClock,
    now: () => systemClock.now(),
    random: systemRandom,
  });
  closers.push(() => call.close());
  return {
    async talk(): Promise<number> {
      await takeFloor(call);
      // The SSRC of the request is that of the client's own packets, of which this one goes nowhere.
      await call.send(new Int16Array(FRAME));
      return ssrc!;
    },
  };
}
