/**
 * The ways in which inputs reach the servers: datagrams from several addresses, and connections that take a few inputs
 * each.
 */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { WebSocket } from "ws";
import { Asked } from "../asked.ts";
import type { Channel, Place } from "../stock.ts";

/** Answers by status, or "closed" where a connection was ended without one. */
export class Tally {
  readonly answers: Record<string, number> = {};
  readonly asked = new Asked();

  count(channel: string, what: string): void {
    const key = `${channel} ${what}`;
    this.answers[key] = (this.answers[key] ?? 0) + 1;
  }

  /** The status lines at the beginning of a line. */
  read(channel: string, text: string): void {
    for (const [, status] of text.matchAll(/^(?:SIP\/2\.0|HTTP\/1\.1) (\d{3}) /gm))
      this.count(channel, status!);
    this.asked.see(text);
  }
}

const INPUTS_PER_CONNECTION = 8;
const HELD = 250;
const CONNECT_MS = 3000;
/** A connection that gets no more inputs is ended then. */
const LINGER_MS = 400;
const DROP_MS = 500;

export interface SendersOptions {
  readonly sources: readonly string[];
  readonly tally: Tally;
}

interface Line {
  readonly write: (octets: Uint8Array, isLast?: boolean) => void;
  readonly end: () => void;
  readonly isOpen: () => boolean;
}

export class Senders {
  readonly #options: SendersOptions;
  readonly #udp: UdpSocket[] = [];
  readonly #lines = new Map<string, { line: Promise<Line | undefined>; left: number }>();
  readonly #held: { line: Line; rest: Uint8Array }[] = [];
  readonly #dropping: NodeJS.Timeout;
  #turn = 0;

  constructor(options: SendersOptions) {
    this.#options = options;
    this.#dropping = setInterval(() => this.#drop(), DROP_MS);
  }

  async open(): Promise<void> {
    for (const address of this.#options.sources) {
      const socket = createSocket("udp4");
      socket.on("message", (octets) => this.#options.tally.read("udp", octets.toString("latin1")));
      socket.on("error", () => undefined);
      socket.bind(0, address);
      await once(socket, "listening");
      this.#udp.push(socket);
    }
  }

  datagram(octets: Uint8Array, { host, port }: Place): Promise<void> {
    const socket = this.#udp[this.#turn++ % this.#udp.length]!;
    // The largest that a datagram over IPv4 can be.
    const cut = octets.subarray(0, 65_507);
    return new Promise((resolve) => socket.send(cut, port, host, () => resolve()));
  }

  /** A request of ours, until it is answered or that long has passed: what was sent before has been read then. */
  async isAlive(
    { host, port }: Place,
    request: (local: Place) => Uint8Array,
    milliseconds: number,
  ): Promise<boolean> {
    const socket = createSocket("udp4");
    try {
      socket.bind(0, this.#options.sources[0]);
      await once(socket, "listening");
      const answered = once(socket, "message", { signal: AbortSignal.timeout(milliseconds) });
      const { address, port: local } = socket.address();
      socket.send(request({ host: address, port: local }), port, host);
      return await answered.then(
        () => true,
        () => false,
      );
    } finally {
      socket.close();
    }
  }

  async stream(channel: Channel, octets: Uint8Array, place: Place): Promise<void> {
    const source = this.#options.sources[this.#turn++ % this.#options.sources.length]!;
    const key = `${channel} ${source}`;
    let there = this.#lines.get(key);
    if (there !== undefined && (there.left <= 0 || !((await there.line)?.isOpen() ?? false))) {
      const old = await there.line;
      setTimeout(() => old?.end(), LINGER_MS);
      there = undefined;
    }
    there ??= { line: this.#connect(channel, place, source), left: INPUTS_PER_CONNECTION };
    there.left--;
    this.#lines.set(key, there);
    (await there.line)?.write(octets);
  }

  async hold(channel: Channel, octets: Uint8Array, slowly: Uint8Array, place: Place): Promise<void> {
    const source = this.#options.sources[this.#turn++ % this.#options.sources.length]!;
    const line = await this.#connect(channel, place, source);
    if (line === undefined) return;
    if (octets.length > 0) line.write(octets, false);
    this.#held.push({ line, rest: slowly });
    if (this.#held.length > HELD) this.#held.shift()!.line.end();
  }

  #drop(): void {
    for (const held of this.#held) {
      if (held.rest.length === 0 || !held.line.isOpen()) continue;
      held.line.write(held.rest.subarray(0, 1), false);
      held.rest = held.rest.subarray(1);
    }
  }

  #connect(channel: Channel, { host, port }: Place, localAddress: string): Promise<Line | undefined> {
    if (channel.endsWith("-ws") || channel.endsWith("-wss"))
      return this.#webSocket(channel, { host, port }, localAddress);
    const isTls = channel.endsWith("-tls") || channel === "kms" || channel === "xcap";
    return new Promise((resolve) => {
      const options = { host, port, localAddress, rejectUnauthorized: false, servername: "localhost" };
      const socket: Socket = isTls ? connectTls(options) : connect(options);
      const timer = setTimeout(() => socket.destroy(), CONNECT_MS);
      let answered = false;
      socket.on("error", () => undefined);
      socket.on("data", (text: Buffer) => {
        answered = true;
        this.#options.tally.read(channel, text.toString("latin1"));
      });
      socket.on("close", () => {
        clearTimeout(timer);
        if (!answered) this.#options.tally.count(channel, "closed");
        resolve(undefined);
      });
      socket.once(isTls ? "secureConnect" : "connect", () => {
        clearTimeout(timer);
        resolve({
          write: (octets) => void (socket.writable && socket.write(octets)),
          end: () => void socket.destroySoon(),
          isOpen: () => socket.writable,
        });
      });
    });
  }

  #webSocket(channel: Channel, { host, port }: Place, localAddress: string): Promise<Line | undefined> {
    const scheme = channel.endsWith("wss") ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${host}:${port}`, "sip", {
      localAddress,
      rejectUnauthorized: false,
      handshakeTimeout: CONNECT_MS,
    });
    return new Promise((resolve) => {
      let answered = false;
      socket.on("error", () => undefined);
      socket.on("message", (data: Buffer) => {
        answered = true;
        this.#options.tally.read(channel, data.toString("latin1"));
      });
      socket.on("close", () => {
        if (!answered) this.#options.tally.count(channel, "closed");
        resolve(undefined);
      });
      socket.on("open", () =>
        resolve({
          write: (octets, isLast = true) => {
            if (socket.readyState === WebSocket.OPEN)
              socket.send(octets, { fin: isLast, binary: true }, () => undefined);
          },
          end: () => socket.terminate(),
          isOpen: () => socket.readyState === WebSocket.OPEN,
        }),
      );
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#dropping);
    // Answers that are on their way.
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
    for (const { line } of this.#held) line.end();
    for (const { line } of this.#lines.values()) (await line)?.end();
    for (const socket of this.#udp) socket.close();
  }
}
