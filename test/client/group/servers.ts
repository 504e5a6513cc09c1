/** Several servers of one GMS on the network of a TestGms, which is the first of them. */
import type { GroupClientEvent } from "../../../roles/group-keys/index.ts";
import {
  createSipEndpoint,
  type Decision,
  type NotifierSubscription,
  type SipEndpoint,
} from "../../../transport/sip/index.ts";
import { random } from "../../sip/support/endpoints.ts";
import type { TestGms } from "./gms.ts";

export class OtherServer {
  readonly host: string;
  readonly endpoint: SipEndpoint;
  readonly #gms: TestGms;
  decide: () => Decision = () => ({ state: "active" });
  /** Times of the SUBSCRIBEs, by the clock. */
  readonly subscribes: number[] = [];
  subscription: NotifierSubscription | undefined;

  private constructor(gms: TestGms, host: string) {
    this.#gms = gms;
    this.host = host;
    const { clock, network } = gms;
    const transports = [network.stream("TCP", { host, port: 5060 })];
    this.endpoint = createSipEndpoint({ transports, clock, random });
    this.endpoint.notifier({
      package: "xcap-diff",
      onSubscribe: (subscription) => {
        this.subscribes.push(clock.now());
        const decision = this.decide();
        if ("state" in decision) this.subscription = subscription;
        return decision;
      },
      current: () => this.#gms.current(),
    });
  }

  static async create(gms: TestGms, host: string): Promise<OtherServer> {
    const server = new OtherServer(gms, host);
    await server.endpoint.start();
    return server;
  }

  get isUsed(): boolean {
    return this.subscription?.state === "active";
  }
}

export const uriOf = (host: string) => `sip:gms@${host};transport=tcp`;

/** "subscribed HOST", "server-lost HOST cause", in order, since the last call. */
export function steps(events: GroupClientEvent[]): string[] {
  return events.splice(0).flatMap((event) => {
    if (event.type !== "subscribed" && event.type !== "server-lost") return [];
    const host = /10\.0\.0\.\d+/.exec(event.server)?.[0] ?? event.server;
    return [event.type === "subscribed" ? `subscribed ${host}` : `lost ${host} ${event.cause}`];
  });
}
