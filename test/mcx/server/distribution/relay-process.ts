/** A process that only distributes: a relay on a UDP socket, told of its legs by whoever started it. */
import { MediaRelay } from "../../../../roles/mcx/index.ts";
import { openUdpPort } from "../../../../transport/datagram/udp-node.ts";

export type Order =
  | { readonly legs: readonly { readonly id: string; readonly port: number }[] }
  /** Keeps these octets, for the search to find. */
  | { readonly keep: string };

const HOST = "127.0.0.1";
const port = await openUdpPort({ host: HOST, receiveBuffer: 1 << 20 });
const relay = new MediaRelay({ port });
const kept: Buffer[] = [];

process.on("message", (order: Order) => {
  if ("keep" in order) kept.push(Buffer.from(order.keep, "hex"));
  else for (const leg of order.legs) relay.legs.add(leg.id, { host: HOST, port: leg.port });
  process.send!({ done: kept.length });
});
process.on("disconnect", () => process.exit());
process.send!({ port: port.address.port });
