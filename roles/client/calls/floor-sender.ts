/** Sends floor control to other members without a server: as SRTCP of the sender's media stream (TS 24.380 8.2). */
import { encodeFloorMessage } from "../../../bindings/floor-control/index.ts";
import type { DatagramAddress, DatagramPort } from "../../../transport/datagram/ports.ts";
import type { FloorContent } from "./floor.ts";

interface RtcpStream {
  readonly ssrc: number;
  protectRtcp(packet: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** Sends a message. It never throws: what did not leave is counted, and is sent again by its timer. */
export function floorSender(
  streamNow: () => RtcpStream,
  port: DatagramPort,
  to: DatagramAddress,
  counters: { sent: number; failed: number },
): (content: FloorContent) => void {
  const fail = () => void counters.failed++;
  const transmit = (packet: Uint8Array) =>
    port.send(packet, to, (failed) => {
      if (failed) counters.failed++;
      else counters.sent++;
    });
  return (content) => {
    try {
      const stream = streamNow();
      const sealed = stream.protectRtcp(encodeFloorMessage({ ...content, ssrc: stream.ssrc }));
      if (sealed instanceof Promise) sealed.then(transmit).catch(fail);
      else transmit(sealed);
    } catch {
      fail();
    }
  };
}
