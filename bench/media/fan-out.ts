/** Measures how fast one process distributes: each packet that comes in goes out to all legs but one, on UDP sockets. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { systemRandom } from "../../bindings/index.ts";
import { MediaRelay } from "../../roles/mcx/index.ts";
import type { DatagramHandler } from "../../transport/datagram/ports.ts";
import { openUdpPort } from "../../transport/datagram/udp-node.ts";
import { clearPackets } from "./work.ts";

export interface FanOut {
  readonly legs: number;
  /** Packets a second that left. */
  readonly sent: number;
  /** Packets a second that came in. */
  readonly forwarded: number;
}

const HOST = "127.0.0.1";
/** GCM tag, MKI and ROC. */
const PROTECTION_BYTES = 28;

export async function measureFanOut(legs: number, seconds: number): Promise<FanOut> {
  const child = fork(fileURLToPath(new URL("sinks.ts", import.meta.url)), [String(legs)], {
    execArgv: ["--import", "tsx"],
  });
  const [ports] = (await once(child, "message")) as [number[]];
  const socket = await openUdpPort({ host: HOST });
  let take: DatagramHandler = () => undefined;
  const relay = new MediaRelay({
    port: {
      ...socket,
      receive(handler) {
        take = handler;
      },
    },
    maxLegs: legs,
  });
  const addresses = ports.map((port) => ({ host: HOST, port }));
  for (const [i, address] of addresses.entries()) relay.legs.add(`leg ${i}`, address);
  const [clear] = clearPackets(1, 1);
  const packet = new Uint8Array(clear!.length + PROTECTION_BYTES);
  packet.set(clear!);
  packet.set(systemRandom(PROTECTION_BYTES), clear!.length);
  const started = performance.now();
  let forwarded = 0;
  while (performance.now() - started < 1000 * seconds) {
    // A packet that came before is not sent again.
    new DataView(packet.buffer).setUint16(2, forwarded & 0xffff);
    take(packet, addresses[0]!);
    forwarded++;
    // All of one before the next, or queues would drop them.
    while (relay.counters.sent + relay.counters.failed < forwarded * (legs - 1)) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const elapsed = (performance.now() - started) / 1000;
  const { sent, dropped, failed } = relay.counters;
  if (dropped + failed > 0) throw new Error(`${dropped} dropped, ${failed} failed`);
  child.disconnect();
  await socket.close();
  return { legs, sent: sent / elapsed, forwarded: forwarded / elapsed };
}
