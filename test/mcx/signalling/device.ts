/** A client with one group key, on sockets of this machine. */
import { defined } from "../../../base/defined.ts";
import { type DeliveredKey, fromUtf8, systemRandom } from "../../../bindings/index.ts";
import {
  createMcxClient,
  type McxClient,
  type McxClientEvent,
  type McxClientOptions,
  type OnPrivateCall,
} from "../../../roles/client/mcx/index.ts";
import { openUdpPort } from "../../../transport/datagram/udp-node.ts";
import { createSipEndpoint, systemClock } from "../../../transport/sip/index.ts";
import { onePort, tcpTransport, udpTransport } from "../../../transport/sip/index-node.ts";
import type { TestKms } from "../../support/world.ts";
import { watched } from "./mcx-server.ts";
import { clientKeysOf, MCX, tokenOf } from "./parts.ts";

const HOST = "127.0.0.1";

export interface DeviceOptions {
  readonly user: string;
  readonly kms: TestKms;
  readonly key: DeliveredKey;
  /** SIP URI, or several. */
  readonly server: McxClientOptions["sipUri"];
  /** Gets what comes as short data. */
  readonly texts: string[];
  /** Gets all events. */
  readonly events?: McxClientEvent[];
  readonly onPrivateCall?: OnPrivateCall;
  /** Gets what comes over UDP and TCP. */
  readonly incoming?: (octets: Uint8Array) => void;
}

/** Bound at the server. */
export async function openDevice({
  user,
  kms,
  key,
  server,
  texts,
  events,
  onPrivateCall,
  incoming,
}: DeviceOptions): Promise<{
  readonly client: McxClient;
  close(): Promise<void>;
}> {
  const endpoint = createSipEndpoint({
    transports: onePort(
      () => udpTransport({ host: HOST }),
      (port) => tcpTransport({ listen: { host: HOST, port } }),
    ).map((one) =>
      watched(one, (octets, pass) => {
        incoming?.(octets.slice());
        pass();
      }),
    ),
    clock: systemClock,
    random: systemRandom,
  });
  await endpoint.start();
  const keys = clientKeysOf(kms, user);
  const client = createMcxClient({
    userUri: user,
    mcxUri: MCX,
    sipUri: server,
    endpoint,
    keys: () => keys,
    token: async () => tokenOf(user),
    groupKeys: () => ({ sending: () => key, receiving: (id) => (id === key.keyId ? key : undefined) }),
    ...defined({ onPrivateCall }),
    openPort: () => openUdpPort({ host: HOST }),
    clock: systemClock,
    now: Date.now,
    random: systemRandom,
    onEvent: (event) => {
      events?.push(event);
      if (event.type === "data") texts.push(...event.payloads.map(({ data }) => fromUtf8(data)));
    },
  });
  await client.bind();
  return {
    client,
    async close() {
      await client.close();
      await endpoint.close();
      keys.destroy();
    },
  };
}
