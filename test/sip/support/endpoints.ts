/** Two endpoints on a network in memory. */
import {
  createSipEndpoint,
  type NotifierOptions,
  type Notify,
  type SipEndpoint,
  type SipEndpointOptions,
  type SubscribeOptions,
  type SubscriptionEnd,
} from "../../../transport/sip/index.ts";
import { VirtualClock } from "../../support/clock.ts";
import { Network } from "./network.ts";

let seed = 0;
/** Unlike in every call, which is all that tags, branches and nonces need in a test. */
export function random(length: number): Uint8Array {
  seed++;
  return Uint8Array.from({ length }, (_, i) => (seed >> (8 * (i % 4))) & 255);
}

export const CLIENT = { host: "10.0.0.1", port: 5060 };
export const SERVER = { host: "10.0.0.2", port: 5060 };

export type Kind = "UDP" | "TCP" | "nat";

export class World {
  readonly clock = new VirtualClock();
  readonly network = new Network(this.clock);
  readonly client: SipEndpoint;
  readonly server: SipEndpoint;
  readonly notifies: Notify[] = [];
  readonly ends: SubscriptionEnd[] = [];
  /** Cuts the connections of the client. */
  readonly cut: () => void;

  constructor(
    kind: Kind = "UDP",
    options: Partial<SipEndpointOptions> = {},
    ofServer: Partial<SipEndpointOptions> = {},
  ) {
    const { clock, network } = this;
    const udp = kind === "UDP";
    const stream = network.stream("TCP", CLIENT, kind === "TCP");
    const near = udp ? network.udp(CLIENT) : stream;
    const far = udp ? network.udp(SERVER) : network.stream("TCP", SERVER);
    this.cut = () => stream.cut();
    this.client = createSipEndpoint({ transports: [near], clock, random, user: "alice", ...options });
    this.server = createSipEndpoint({ transports: [far], clock, random, user: "gms", ...ofServer });
  }

  async start(): Promise<this> {
    await this.client.start();
    await this.server.start();
    return this;
  }

  notifier(options: Partial<NotifierOptions> = {}) {
    return this.server.notifier({
      package: "xcap-diff",
      onSubscribe: () => ({ state: "active" }),
      current: () => ({ contentType: "application/octet-stream", body: Uint8Array.of(0, 255, 13, 10) }),
      ...options,
    });
  }

  subscribe(options: Partial<SubscribeOptions> = {}) {
    return this.client.subscribe({
      uri: "sip:gms@10.0.0.2",
      from: "sip:alice@example.com",
      event: { value: "xcap-diff", params: new Map([["diff-processing", "aggregate"]]) },
      accept: ["application/xcap-diff+xml"],
      onNotify: (notify) => {
        this.notifies.push(notify);
        return { status: 200 };
      },
      onEnd: (end) => this.ends.push(end),
      ...options,
    });
  }

  /** First lines of what was sent, without SIP/2.0. */
  get lines(): string[] {
    return this.network.lines.map((line) => line.replace(/ ?SIP\/2.0 ?/, ""));
  }

  count(start: string): number {
    return this.lines.filter((line) => line.startsWith(start)).length;
  }
}
