/** Datagrams that the kernel dropped because a receive buffer was full, for those sockets (Linux: proc_net_udp). */
import { readFile } from "node:fs/promises";

export async function droppedDatagrams(ports: ReadonlySet<number>): Promise<number> {
  const lines = (await readFile("/proc/net/udp", "utf8")).trim().split("\n").slice(1);
  let dropped = 0;
  for (const line of lines) {
    const columns = line.trim().split(/\s+/);
    const port = Number.parseInt(columns[1]!.split(":")[1]!, 16);
    if (ports.has(port)) dropped += Number(columns.at(-1));
  }
  return dropped;
}
