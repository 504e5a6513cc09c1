/**
 * Opens connections with unfinished messages from many addresses of loopback, and keeps them until its input ends. Says
 * `{ opened, open }` on a line when all have been opened, and again for each line of input.
 */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

interface Job {
  readonly tcp: { readonly port: number; readonly count: number };
  readonly ws: { readonly port: number; readonly count: number };
  /** From which they come, each in its turn. */
  readonly addresses: readonly string[];
}

const { tcp, ws, addresses } = JSON.parse(process.argv[2]!) as Job;
const AT_A_TIME = 200;
const BEGUN = `MESSAGE sip:gms@x.y SIP/2.0\r\nX: ${"y".repeat(2000)}`;
const UPGRADE = [
  "GET / HTTP/1.1",
  "Host: x",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
  "Sec-WebSocket-Protocol: sip",
  "",
  "",
].join("\r\n");
/** The first fragment of a text, of which half its 4,000 octets come. */
const FRAGMENT = Buffer.from([0x01, 0x80 | 126, 0x0f, 0xa0, 0, 0, 0, 0, ...Array(2000).fill(65)]);

let opened = 0;
const open = new Set<Socket>();

async function dial(port: number, i: number): Promise<Socket | undefined> {
  const socket = connect({ port, host: "127.0.0.1", localAddress: addresses[i % addresses.length]! });
  socket.on("close", () => open.delete(socket)).resume();
  return new Promise((resolve) => {
    socket.once("error", () => resolve(undefined));
    socket.once("connect", () => {
      opened++;
      open.add(socket);
      resolve(socket);
    });
  });
}

async function each(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

const say = () => process.stdout.write(`${JSON.stringify({ opened, open: open.size })}\n`);

await each(ws.count, async (i) => {
  const socket = await dial(ws.port, i);
  socket?.once("data", () => socket.write(FRAGMENT));
  socket?.write(UPGRADE);
});
await each(tcp.count, async (i) => void (await dial(tcp.port, i))?.write(BEGUN));
say();
createInterface({ input: process.stdin })
  .on("line", say)
  .on("close", () => process.exit(0));
