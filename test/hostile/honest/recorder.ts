/** Keeps what honest clients send and get in clear, for attackers who saw it on the wire. */
import type { DatagramPort } from "../../../transport/datagram/ports.ts";
import type { Flow, SipTransport } from "../../../transport/sip/index.ts";
import { Asked } from "../asked.ts";
import type { RecordedHttp, StockFile } from "../stock.ts";

type SipSide = "gms" | "mcx" | "client";

/** Messages that begin alike. */
const MOST_ALIKE = 12;
const MOST_PACKETS = 400;

export class Recorder {
  readonly #sip = {
    gms: new Map<string, string[]>(),
    mcx: new Map<string, string[]>(),
    client: new Map<string, string[]>(),
  };
  readonly #http = { kms: [] as RecordedHttp[], xcap: [] as RecordedHttp[] };
  readonly #media: string[] = [];
  readonly #floor: string[] = [];
  readonly asked = new Asked();

  get recorded(): Pick<StockFile, "sip" | "http" | "media" | "floor"> {
    const all = (side: SipSide) => [...this.#sip[side].values()].flat();
    return {
      sip: { gms: all("gms"), mcx: all("mcx"), client: all("client") },
      http: this.#http,
      media: this.#media,
      floor: this.#floor,
    };
  }

  /** The transport, and what passes it unless that is encrypted; `server` is at its other end, at `port`. */
  sip(transport: SipTransport, server: "gms" | "mcx", port: number): SipTransport {
    const isClear = transport.name !== "TLS" && transport.name !== "WSS";
    const seen = new WeakSet<Flow>();
    // Flows are compared by whoever holds them, so they stay what they are.
    const watched = (flow: Flow): Flow => {
      if (seen.has(flow)) return flow;
      seen.add(flow);
      const send = flow.send.bind(flow);
      flow.send = (octets) => {
        this.asked.see(Buffer.from(octets).toString("latin1"));
        if (isClear) this.#message(server, octets);
        return send(octets);
      };
      return flow;
    };
    return {
      name: transport.name,
      reliable: transport.reliable,
      get sentBy() {
        return transport.sentBy;
      },
      start: (events) =>
        transport.start({
          message: (octets, flow) => {
            // Attackers answer as well, from ports of their own.
            if (flow.remote.port === port) this.asked.see(Buffer.from(octets).toString("latin1"));
            if (isClear) this.#message("client", octets);
            events.message(octets, watched(flow));
          },
          pong: (flow) => events.pong?.(flow),
          closed: (flow) => events.closed(flow),
          refused: (code, transport, remote) => events.refused?.(code, transport, remote),
        }),
      connect: async (remote) => watched(await transport.connect(remote)),
      close: () => transport.close(),
    };
  }

  datagrams(port: DatagramPort, what: "media" | "floor"): DatagramPort {
    const packets = what === "media" ? this.#media : this.#floor;
    const keep = (octets: Uint8Array) => {
      if (packets.length < MOST_PACKETS) packets.push(Buffer.from(octets).toString("base64"));
    };
    return {
      ...port,
      send(octets, to, done) {
        keep(octets);
        port.send(octets, to, done);
      },
      receive: (handler) =>
        port.receive((octets, from) => {
          keep(octets);
          handler(octets, from);
        }),
    };
  }

  http(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
    return ((
      url: string,
      init: { method?: string; headers?: Record<string, string>; body?: string } = {},
    ) => {
      const { pathname, search } = new URL(url);
      const { method = "GET", headers = {}, body = "" } = init;
      const list = pathname.startsWith("/keymanagement") ? this.#http.kms : this.#http.xcap;
      if (list.length < MOST_PACKETS) list.push({ method, path: pathname + search, headers, body });
      return fetch(url, init as RequestInit);
    }) as typeof globalThis.fetch;
  }

  #message(side: SipSide, octets: Uint8Array): void {
    const text = Buffer.from(octets).toString("latin1");
    const [first = ""] = text.split(" ", 1);
    const cseq = /^CSeq *: *(\d+) *(\w+)/im.exec(text);
    const key = first.startsWith("SIP/") ? `${text.slice(0, 12)} ${cseq?.[2]}` : first;
    const alike = this.#sip[side].get(key) ?? [];
    if (alike.length < MOST_ALIKE)
      this.#sip[side].set(key, [...alike, Buffer.from(octets).toString("base64")]);
  }
}
