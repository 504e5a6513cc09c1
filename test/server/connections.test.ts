/**
 * KMS, GMS and MCX server in one process, beside peers that prove nothing. MIKEY_SAKKE_LONG=1 makes it larger, as
 * `npm run test:connections` does.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import WebSocket from "ws";
import { type GmsProcess, runClient, STORY_MS, serve } from "../cli/gms/gms-process.ts";
import { cli } from "../cli/kms/kms-process.ts";
import { temporaryFolder } from "../cli/run-cli.ts";
import { attack, residentMemory } from "./hostile-process.ts";

const LONG = process.env.MIKEY_SAKKE_LONG === "1";
const HOST = "127.0.0.1";
const GROUP = "sip:fire@example.org";
const ALICE = "sip:alice@example.org";
/** Bounds that SECURITY.md promises, in octets: those accounted for, and the growth of resident memory, also afterwards. */
const ACCOUNTED = 32 << 20;
const GROWTH = 128 << 20;
const GROWTH_AFTER = 64 << 20;

const portOf = (uri: string) => Number(/:(\d+)(?:;|$)/.exec(uri)![1]);

async function servers(): Promise<GmsProcess> {
  return serve(join(await temporaryFolder(), "data"));
}

/** Milliseconds until the KMS has refused a request without a token, on a new connection. */
async function kmsAnswers({ kmsUrl, ca }: GmsProcess): Promise<number> {
  const begun = performance.now();
  const url = `${kmsUrl}/keymanagement/identity/v1/init`;
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const asked = request(url, { method: "POST", ca: readFileSync(ca), agent: false }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode));
    });
    asked.once("error", reject).end();
  });
  expect(status).toBe(401);
  return performance.now() - begun;
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, HOST);
  socket.on("error", () => undefined).resume();
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

function sendDatagram(port: number, text: string): Promise<void> {
  const socket = createSocket("udp4");
  return new Promise((resolve) => socket.send(text, port, HOST, () => socket.close(() => resolve())));
}

async function sendByTcp(port: number, text: string): Promise<void> {
  const socket = await dial(port);
  socket.write(text);
}

async function sendByWebSocket(port: number, text: string): Promise<void> {
  const socket = new WebSocket(`ws://${HOST}:${port}/`, "sip");
  socket.on("error", () => undefined);
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  socket.send(text);
}

const VIA = "Via: SIP/2.0/UDP x.invalid;branch=z9hG4bK";
const NAMED = ["f: <sip:e@x.y>;tag=1", "t: <sip:g@x.y>", "i: 1", "CSeq: 1 OPTIONS", "l: 0"];
const options = (...lines: string[]) =>
  ["OPTIONS sip:x@y.z SIP/2.0", `${VIA}1`, ...lines, ...NAMED, "", ""].join("\r\n");
const blanks = (n: number) => `OPTIONS sip:x SIP/2.0\r\nX:${" ".repeat(n)}\u2028\r\n\r\n`;
const BODY = `<a>${"<b>".repeat(20_000)}`;
const withBody = (type: string, body: string) =>
  options(`Content-Type: ${type}`)
    .replace("l: 0", `l: ${Buffer.byteLength(body)}`)
    .replaceAll("OPTIONS", "SUBSCRIBE") + body;

type Send = (servers: GmsProcess) => Promise<void>;
const udp =
  (text: string): Send =>
  ({ sip }) =>
    sendDatagram(portOf(sip.udp!), text);
const tcp =
  (text: string): Send =>
  ({ sip }) =>
    sendByTcp(portOf(sip.tcp!), text);
const ws =
  (text: string): Send =>
  ({ sip }) =>
    sendByWebSocket(portOf(sip.ws!), text);

const ATTACKS: Record<string, Send> = {
  "a datagram of 60,000 blanks before U+2028": udp(blanks(60_000)),
  "the same by TCP": tcp(blanks(30_000)),
  "the same by WebSocket, of 250,000 blanks": ws(blanks(250_000)),
  "a thousand Vias": udp(options(`v: ${Array(1000).fill("SIP/2.0/UDP 1.2.3.4;branch=z").join(",")}`)),
  "a quoted string of 30,000 backslashes without an end": tcp(options(`Contact: "${"\\a".repeat(15_000)}`)),
  "nested comments": udp(options(`Retry-After: 1 ${"(".repeat(30_000)}`)),
  "30,000 commas": udp(options(`Supported: ${",".repeat(30_000)}`)),
  "a parameter of 30,000 octets": udp(options(`Event: x;a=${"b".repeat(30_000)}@`)),
  "NUL octets": tcp(options(`X: ${"\0".repeat(30_000)}`)),
  "a body of boundaries": ws(withBody("multipart/mixed;boundary=b", "--b\r\n\r\n".repeat(25_000))),
  "a body of 20,000 nested elements": ws(withBody("application/vnd.3gpp.mcptt-info+xml", BODY)),
  "a body of spaces in a part header": ws(
    withBody("multipart/mixed;boundary=b", `--b\r\nContent-Type:${" ".repeat(200_000)}\r\n\r\n--b--`),
  ),
  "a handshake of TLS that is not finished": async ({ kmsUrl }) => {
    const socket = await dial(Number(new URL(kmsUrl).port));
    socket.write(Buffer.from([0x16, 0x03, 0x01, 0x40, 0x00, 0x01]));
  },
  "an HTTP request that comes octet by octet": async ({ sip }) => {
    const socket = await dial(portOf(sip.ws!));
    for (const octet of "GET / HTTP/1.1\r\nX: ") socket.write(octet);
  },
  "a hundred requests by TCP that are not finished": async ({ sip }) => {
    for (let i = 0; i < 100; i++)
      await sendByTcp(portOf(sip.tcp!), `MESSAGE sip:x SIP/2.0\r\nX: ${"y".repeat(30_000)}`);
  },
};

describe("servers of one process, beside peers without proof,", {
  timeout: LONG ? 1_200_000 : STORY_MS,
}, () => {
  it("answer a KMS request while hostile messages come in, and end in time", async () => {
    const all = await servers();
    await kmsAnswers(all);
    const usual = Math.min(await kmsAnswers(all), await kmsAnswers(all), await kmsAnswers(all));
    const slow: Record<string, number> = {};
    for (const [name, send] of Object.entries(ATTACKS)) {
      await send(all);
      const milliseconds = await kmsAnswers(all);
      // A machine that does other things too takes a multiple of the usual time.
      if (milliseconds > Math.max(500, 20 * usual)) slow[name] = milliseconds;
    }
    expect(slow).toEqual({});
    await expect.poll(() => all.log(), { timeout: 30_000 }).toContain('"reason":"SIP_HEADER"');
    expect(await all.end("SIGTERM")).toBe(0);
  });

  it("treat names of Object.prototype like any others, on every transport", async () => {
    const { sip } = await servers();
    let requests = 0;
    const fresh = (message: string) => {
      requests++;
      return message.replace("z9hG4bK1", `z9hG4bK${requests}`).replace("i: 1", `i: ${requests}`);
    };
    const names = ["constructor", "__proto__", "toString", "hasOwnProperty"];
    const text = (name: string) =>
      options(
        `${name}: 1`,
        `Supported: ${name}`,
        `Event: ${name};${name}=1`,
        `Content-Type: multipart/mixed;boundary=b;${name}=1`,
      );
    for (const name of names) {
      const socket = new WebSocket(`ws://${HOST}:${portOf(sip.ws!)}/`, "sip");
      await once(socket, "open");
      const stream = await dial(portOf(sip.tcp!));
      const datagrams = createSocket("udp4");
      await new Promise<void>((resolve) => datagrams.bind(0, HOST, resolve));
      onTestFinished(() => {
        socket.terminate();
        datagrams.close();
      });
      const ways: ((message: string) => Promise<string>)[] = [
        async (message) => {
          const answer = once(socket, "message");
          socket.send(message);
          return String((await answer)[0]);
        },
        async (message) => {
          const answer = once(stream, "data");
          stream.write(message);
          return String((await answer)[0]);
        },
        async (message) => {
          const answer = once(datagrams, "message");
          datagrams.send(message.replace("branch=", "rport;branch="), portOf(sip.udp!), HOST);
          return String((await answer)[0]);
        },
      ];
      for (const ask of ways) {
        expect(await ask(fresh(text(name)))).toContain(" 200 ");
        expect(await ask(fresh(text(name)).replaceAll("OPTIONS", name))).toContain(" 405 ");
        expect(await ask(fresh(text(name)).replaceAll("OPTIONS", "SUBSCRIBE"))).toContain(" 489 ");
      }
    }
  });

  const TCP = LONG ? 20_000 : 1500;
  const WS = LONG ? 2000 : 150;
  it(`hold ${TCP} TCP and ${WS} WebSocket connections with unfinished messages in 32 MiB, beside a member who subscribes`, async () => {
    const all = await servers();
    const { sip, adminUrl, dataDir, pid } = all;
    const group = await cli("group", "create", GROUP, ALICE, "--data-dir", dataDir);
    const [{ gmkId }] = group.json<{ rekeys: [{ gmkId: string }] }>().rekeys;
    const gauge = async (name: string) => {
      const text = await (await fetch(`${adminUrl}/metrics`)).text();
      return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)![1]);
    };
    const addresses = Array.from({ length: 100 }, (_, i) => `127.0.1.${i + 1}`);
    const [tcp, ws] = [portOf(sip.tcp!), portOf(sip.ws!)];
    const job = (part: number) => ({
      tcp: { port: tcp, count: TCP / part },
      ws: { port: ws, count: WS / part },
      addresses,
    });
    const gone = () =>
      expect.poll(() => gauge("sockets_waiting_octets"), { timeout: 60_000 }).toBeLessThan(1 << 20);
    // The first attack makes the process collect the garbage of its start.
    await (await attack(job(50))).end();
    await gone();
    const before = residentMemory(pid);
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, residentMemory(pid));
    }, 100);
    onTestFinished(() => clearInterval(watch));
    const attacker = await attack(job(1));
    const { opened, open } = await attacker.figures();
    expect(opened).toBe(TCP + WS);
    const octets = await gauge("sockets_waiting_octets");
    const attacked = most - before;
    expect(octets).toBeGreaterThan(1 << 20);
    expect(octets).toBeLessThanOrEqual(ACCOUNTED);

    const alice = runClient(dataDir, ALICE, "--sip", "tcp");
    const got = await alice.event(({ event, change }) => event === "key" && change === "added");
    expect(got).toMatchObject({ gmkId });
    const growth = most - before;
    expect(growth).toBeLessThan(GROWTH);

    await attacker.end();
    await gone();
    await expect.poll(() => residentMemory(pid) - before, { timeout: 60_000 }).toBeLessThan(GROWTH_AFTER);
    clearInterval(watch);
    if (LONG) {
      const mib = (n: number) => `${(n / (1 << 20)).toFixed(1)} MiB`;
      const after = residentMemory(pid) - before;
      process.stderr.write(
        `opened ${opened}, open at a time ${open}, accounted ${mib(octets)}, ` +
          `grown by ${mib(attacked)}, with a member ${mib(growth)}, after ${mib(after)}\n`,
      );
    }
    await alice.end("SIGTERM");
    expect(await all.end("SIGTERM")).toBe(0);
  });
});
