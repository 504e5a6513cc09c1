/**
 * Subscribers to a GMS by the thousand, on a few TCP connections: they subscribe, answer NOTIFYs, and open no message.
 * Nothing of transport/sip is in it.
 */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

/** How a subscriber answers a NOTIFY that carries a message: 200, 488, or not at all. */
export type Behaviour = "accept" | "refuse" | "silent";

export interface LightClientsOptions {
  readonly host: string;
  /** Port of the GMS for SIP over TCP. */
  readonly port: number;
  readonly gmsUri: string;
  readonly identities: readonly string[];
  readonly token: (identity: string) => string | Promise<string>;
  readonly behaviour?: (identity: string) => Behaviour;
  /** Default 8. */
  readonly connections?: number;
  /** SUBSCRIBEs without an answer at a time. Default 64. */
  readonly window?: number;
  /** Seconds. Default 3600. */
  readonly expires?: number;
}

export interface LightStats {
  /** SUBSCRIBEs that were answered with 200. */
  subscribed: number;
  /** Status of SUBSCRIBEs that were not. */
  readonly refusals: Map<number, number>;
  notifies: number;
  /** NOTIFYs with at least one message, and those that were answered by 200. */
  withMessage: number;
  accepted: number;
}

interface Subscriber {
  readonly identity: string;
  readonly wire: Wire;
  subscribed?: (status: number) => void;
}

export class LightClients {
  readonly stats: LightStats = {
    subscribed: 0,
    refusals: new Map(),
    notifies: 0,
    withMessage: 0,
    accepted: 0,
  };
  /** Silent ones keep quiet, and refusing ones refuse, only while this is true. */
  armed = true;
  readonly #options: LightClientsOptions;
  readonly #wires: Wire[];
  /** Subscriptions by Call-ID. */
  readonly #subscribers = new Map<string, Subscriber>();

  private constructor(options: LightClientsOptions, wires: Wire[]) {
    this.#options = options;
    this.#wires = wires;
    for (const wire of wires) wire.onMessage = (message) => this.#receive(message);
  }

  static async open(options: LightClientsOptions): Promise<LightClients> {
    const { host, port, connections = 8 } = options;
    const wires = Array.from({ length: connections }, () => Wire.open(host, port));
    return new LightClients(options, await Promise.all(wires));
  }

  /** Subscribes them all; resolves when each has its answer. */
  async subscribe(): Promise<void> {
    const waiting = [...this.#options.identities.entries()].reverse();
    const run = async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await this.#begin(...next);
    };
    await Promise.all(Array.from({ length: this.#options.window ?? 64 }, run));
  }

  async #begin(index: number, identity: string): Promise<void> {
    const { host, port, gmsUri, expires = 3600 } = this.#options;
    const wire = this.#wires[index % this.#wires.length]!;
    const token = await this.#options.token(identity);
    const callId = `${randomBytes(8).toString("hex")}@light.invalid`;
    const documents = [`org.3gpp.MCPTT-GKTP/users/${encodeURIComponent(identity)}/`];
    const entries = documents.map((uri) => `<entry uri="${uri}"/>`).join("");
    const body =
      `<?xml version="1.0" encoding="UTF-8"?><resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists">` +
      `<list>${entries}</list></resource-lists>`;
    const head = [
      `SUBSCRIBE sip:gms@${host}:${port};transport=tcp SIP/2.0`,
      `Via: SIP/2.0/TCP ${wire.local};branch=z9hG4bK${randomBytes(8).toString("hex")};rport`,
      `From: <${identity}>;tag=${randomBytes(4).toString("hex")}`,
      `To: <${gmsUri}>`,
      `Call-ID: ${callId}`,
      "CSeq: 1 SUBSCRIBE",
      `Contact: <sip:light${index}@${wire.local};transport=tcp>`,
      "Max-Forwards: 70",
      "Event: xcap-diff;diff-processing=aggregate",
      "Accept: application/xcap-diff+xml",
      `Expires: ${expires}`,
      `Authorization: Bearer ${token}`,
      "Content-Type: application/resource-lists+xml",
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    const subscriber: Subscriber = { identity, wire };
    this.#subscribers.set(callId, subscriber);
    const status = await new Promise<number>((resolve) => {
      subscriber.subscribed = resolve;
      wire.send(`${head.join("\r\n")}\r\n\r\n${body}`);
    });
    if (status === 200) this.stats.subscribed++;
    else this.stats.refusals.set(status, (this.stats.refusals.get(status) ?? 0) + 1);
  }

  #receive({ head, body }: WireMessage): void {
    const callId = /^(?:Call-ID|i) *: *([^\r\n]+)/im.exec(head)?.[1]?.trim() ?? "";
    const subscriber = this.#subscribers.get(callId);
    if (subscriber === undefined) return;
    const status = /^SIP\/2\.0 (\d{3})/.exec(head)?.[1];
    if (status !== undefined) {
      if (Number(status) < 200) return;
      subscriber.subscribed?.(Number(status));
      delete subscriber.subscribed;
    } else if (head.startsWith("NOTIFY ")) this.#notified(subscriber, head, body);
  }

  #notified({ identity, wire }: Subscriber, head: string, body: string): void {
    this.stats.notifies++;
    // An I_MESSAGE in hexadecimal digits has some thousand of them.
    const messages = body.match(/[0-9A-F]{400,}/g)?.length ?? 0;
    if (messages > 0) this.stats.withMessage++;
    const behaviour =
      messages > 0 && this.armed ? (this.#options.behaviour?.(identity) ?? "accept") : "accept";
    if (behaviour === "silent") return;
    const copied = head.split("\r\n").filter((line) => /^(?:Via|From|To|Call-ID|CSeq|[vfti]) *:/i.test(line));
    const refused = behaviour === "refuse";
    const warning = `Warning: 399 light.invalid "136 authentication of the MIKEY-SAKKE I_MESSAGE failed"`;
    wire.send(
      [
        refused ? "SIP/2.0 488 Not Acceptable Here" : "SIP/2.0 200 OK",
        ...copied,
        ...(refused ? [warning] : []),
        "Content-Length: 0\r\n\r\n",
      ].join("\r\n"),
    );
    if (messages > 0 && !refused) this.stats.accepted++;
  }

  close(): void {
    for (const wire of this.#wires) wire.close();
  }
}

interface WireMessage {
  readonly head: string;
  readonly body: string;
}

/** One connection, cut into messages by Content-Length. */
class Wire {
  onMessage: (message: WireMessage) => void = () => undefined;
  readonly local: string;
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #length = 0;
  /** Octets that are needed before another look is worth it. */
  #needed = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.local = `${socket.localAddress}:${socket.localPort}`;
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
  }

  static open(host: string, port: number): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, host, () => resolve(new Wire(socket)));
      socket.once("error", reject);
    });
  }

  send(text: string): void {
    this.#socket.write(text, "latin1");
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    if (this.#length < this.#needed) return;
    const all = Buffer.concat(this.#chunks);
    let at = 0;
    this.#needed = 0;
    for (;;) {
      while (all[at] === 13 && all[at + 1] === 10) at += 2;
      const end = all.indexOf("\r\n\r\n", at, "latin1");
      if (end < 0) break;
      const head = all.toString("latin1", at, end + 2);
      const length = Number(/^(?:Content-Length|l) *: *(\d+)/im.exec(head)?.[1] ?? 0);
      if (all.length < end + 4 + length) {
        this.#needed = end + 4 + length - at;
        break;
      }
      const body = all.toString("latin1", end + 4, end + 4 + length);
      at = end + 4 + length;
      this.onMessage({ head, body });
    }
    this.#chunks = [all.subarray(at)];
    this.#length = all.length - at;
  }
}
