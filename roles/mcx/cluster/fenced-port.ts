/** A socket that serves only while this process may: one that stood still must not go on with a call that another has. */
import type { DatagramPort } from "../../../transport/datagram/ports.ts";

export function fencedPort(port: DatagramPort, mayServe: () => boolean): DatagramPort {
  return {
    address: port.address,
    send(bytes, to, done) {
      if (mayServe()) port.send(bytes, to, done);
      else done(true);
    },
    receive(handler) {
      port.receive((bytes, from) => {
        if (mayServe()) handler(bytes, from);
      });
    },
    close: () => port.close(),
  };
}
