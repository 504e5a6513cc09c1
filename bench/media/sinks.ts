/** A process with the sockets that media are distributed to. */
import { openUdpPort } from "../../transport/datagram/udp-node.ts";

const ports = await Promise.all(
  Array.from({ length: Number(process.argv[2]) }, () => openUdpPort({ host: "127.0.0.1" })),
);
process.on("disconnect", () => process.exit());
process.send!(ports.map(({ address }) => address.port));
