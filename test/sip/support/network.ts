/** A network in memory: datagrams with loss, duplicates and delay, and connections that can be cut. */
import type {
  Clock,
  Flow,
  HostPort,
  SipTransport,
  TransportEvents,
  TransportName,
} from "../../../transport/sip/index.ts";

export interface Weather {
  /** Called for each datagram: the delays of the copies that arrive. */
  readonly copies: () => readonly number[];
}

export class Network {
  readonly clock: Clock;
  weather: Weather = { copies: () => [1] };
  /** Hosts whose process stands still: their connections are there, and what arrives is read by nobody. */
  readonly frozen = new Set<string>();
  /** Addresses, as "host:port", of which no connection ever comes to be, nor is refused. */
  readonly firewalled = new Set<string>();
  /** Every message as text, with its way. */
  readonly seen: { from: string; to: string; text: string; bytes: Uint8Array }[] = [];
  readonly #nodes = new Map<string, (bytes: Uint8Array, from: HostPort) => void>();
  readonly #listeners = new Map<string, (peer: PipeFlow) => void>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  note(from: HostPort, to: HostPort, bytes: Uint8Array): void {
    const text = new TextDecoder().decode(bytes);
    this.seen.push({ from: name(from), to: name(to), text, bytes: bytes.slice() });
  }

  /** First lines of the messages, in order. */
  get lines(): string[] {
    return this.seen.map(({ text }) => text.slice(0, text.indexOf("\r\n")));
  }

  udp(address: HostPort): SipTransport {
    const node = name(address);
    return {
      name: "UDP",
      reliable: false,
      sentBy: address,
      start: async (events: TransportEvents) => {
        const flowTo = (remote: HostPort) => this.#datagramFlow(address, remote);
        this.#nodes.set(node, (bytes, from) => events.message(bytes, flowTo(from)));
      },
      connect: async (remote) => this.#datagramFlow(address, remote),
      close: async () => void this.#nodes.delete(node),
    };
  }

  #datagramFlow(local: HostPort, remote: HostPort): Flow {
    const send = async (bytes: Uint8Array) => {
      this.note(local, remote, bytes);
      for (const delay of this.weather.copies()) {
        this.clock.after(delay, () => {
          if (!this.frozen.has(remote.host)) this.#nodes.get(name(remote))?.(bytes.slice(), local);
        });
      }
    };
    return {
      transport: "UDP",
      reliable: false,
      accepted: false,
      remote,
      open: true,
      send,
      close: () => undefined,
      abort: () => undefined,
    };
  }

  /** `listens`: others can connect to it; otherwise it is a client behind a NAT. */
  stream(kind: TransportName, address: HostPort, listens = true): SipTransport & { cut(): void } {
    const flows = new Map<string, PipeFlow>();
    let events: TransportEvents | undefined;
    let port = 40_000;
    const adopt = (flow: PipeFlow) => {
      flows.set(name(flow.remote), flow);
      flow.onMessage = (bytes) => {
        const kind = keepAlive(bytes);
        if (kind === "ping") void flow.send(bytes.subarray(2)).catch(() => undefined);
        else if (kind === "pong") events?.pong?.(flow);
        else events?.message(bytes, flow);
      };
      flow.onClose = () => {
        flows.delete(name(flow.remote));
        events?.closed(flow);
      };
    };
    return {
      name: kind,
      reliable: true,
      sentBy: listens ? address : { host: "client.invalid" },
      start: async (given) => {
        events = given;
        if (listens) this.#listeners.set(name(address), adopt);
      },
      connect: async (remote) => {
        const known = flows.get(name(remote));
        if (known?.open) return known;
        if (this.firewalled.has(name(remote))) return new Promise<never>(() => undefined);
        const listener = this.#listeners.get(name(remote));
        if (listener === undefined) throw new Error("refused");
        const local = { host: address.host, port: ++port };
        const [near, far] = pipe(this, kind, local, remote);
        adopt(near);
        listener(far);
        return near;
      },
      close: async () => {
        for (const flow of [...flows.values()]) flow.close();
        this.#listeners.delete(name(address));
      },
      cut: () => {
        for (const flow of [...flows.values()]) flow.close();
      },
    };
  }
}

function keepAlive(bytes: Uint8Array): "ping" | "pong" | undefined {
  if (bytes.some((octet) => octet !== 13 && octet !== 10)) return undefined;
  return bytes.length === 4 ? "ping" : "pong";
}

function name({ host, port }: HostPort): string {
  return `${host}:${port}`;
}

class PipeFlow implements Flow {
  readonly transport: TransportName;
  readonly reliable = true;
  readonly accepted: boolean;
  readonly remote: HostPort;
  open = true;
  onMessage: (bytes: Uint8Array) => void = () => undefined;
  onClose: () => void = () => undefined;
  peer: PipeFlow | undefined;
  readonly #network: Network;
  readonly #local: HostPort;

  constructor(
    network: Network,
    transport: TransportName,
    local: HostPort,
    remote: HostPort,
    accepted: boolean,
  ) {
    this.#network = network;
    this.transport = transport;
    this.#local = local;
    this.remote = remote;
    this.accepted = accepted;
  }

  async send(bytes: Uint8Array): Promise<void> {
    if (!this.open) throw new Error("closed");
    this.#network.note(this.#local, this.remote, bytes);
    const peer = this.peer;
    this.#network.clock.after(1, () => {
      if (peer?.open && !this.#network.frozen.has(this.remote.host)) peer.onMessage(bytes.slice());
    });
  }

  abort(): void {
    this.close();
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.peer?.close();
    this.onClose();
  }
}

function pipe(
  network: Network,
  kind: TransportName,
  local: HostPort,
  remote: HostPort,
): [PipeFlow, PipeFlow] {
  const near = new PipeFlow(network, kind, local, remote, false);
  const far = new PipeFlow(network, kind, remote, local, true);
  near.peer = far;
  far.peer = near;
  return [near, far];
}
