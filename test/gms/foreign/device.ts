/** A member of the group over SIP on sockets of loopback, with the time of the machine. */
import { systemRandom } from "../../../base/random.ts";
import {
  createGroupClient,
  type GroupClient,
  type GroupClientEvent,
  GroupKeyRing,
} from "../../../roles/group-keys/index.ts";
import { type ClientKeys, MemoryStorage } from "../../../roles/identity/index.ts";
import { createSipEndpoint, type SipEndpoint, systemClock } from "../../../transport/sip/index.ts";
import { tcpTransport, udpTransport } from "../../../transport/sip/index-node.ts";
import { GMS_URI, HOME_KMS, memberUri, type World } from "../memory-gms.ts";
import { GROUP, HOST } from "./running-gms.ts";

export type DeviceTransport = "TCP" | "UDP";

export interface Device {
  readonly client: GroupClient;
  readonly ring: GroupKeyRing;
  readonly endpoint: SipEndpoint;
  readonly events: GroupClientEvent[];
}

export interface DeviceOptions {
  readonly world: World;
  /** Number of the member. */
  readonly member: number;
  readonly transport: DeviceTransport;
  /** Address of the servers to subscribe at; HOST when absent. */
  readonly host?: string;
  /** Their ports, the best first. */
  readonly ports: readonly number[];
  readonly token: (userUri: string) => Promise<string>;
  /** Keys in place of those that the world has for the member. */
  readonly keys?: ClientKeys;
}

const TRANSPORTS = {
  TCP: () => [tcpTransport({ listen: { host: HOST } })],
  UDP: () => [udpTransport({ host: HOST })],
};

export async function startDevice({
  world,
  member,
  transport,
  host = HOST,
  ports,
  token,
  keys = world.member(member).keys,
}: DeviceOptions): Promise<Device> {
  const userUri = memberUri(member);
  const endpoint = createSipEndpoint({
    transports: TRANSPORTS[transport](),
    clock: systemClock,
    random: systemRandom,
    user: "member",
  });
  await endpoint.start();
  const ring = await GroupKeyRing.open(new MemoryStorage(), { userUri, now: Date.now });
  const events: GroupClientEvent[] = [];
  const sipUri = ports.map((port) => `sip:gms@${host}:${port};transport=${transport.toLowerCase()}`);
  const client = createGroupClient({
    userUri,
    keys: () => keys,
    ring,
    gms: { uri: GMS_URI, kmsUri: HOME_KMS, sipUri },
    groups: [GROUP],
    way: "sip",
    sip: endpoint,
    token: () => token(userUri),
    now: Date.now,
    random: systemRandom,
    onEvent: (event) => events.push(event),
  });
  client.start();
  return { client, ring, endpoint, events };
}

export async function stopDevices(devices: readonly Device[]): Promise<void> {
  await Promise.all(devices.map(({ client }) => client.stop()));
  await Promise.all(devices.map(({ endpoint }) => endpoint.close()));
}

/** GMK-ID of the key that the member sends under. */
export function keyOf({ ring }: Device): number | undefined {
  return ring.current(GROUP)?.gmkId;
}

/** Milliseconds from now until all have the same key, which none of them had; an error that tells who does not after `limitMs`. */
export async function untilNewKey(
  devices: readonly Device[],
  before: ReadonlySet<number | undefined>,
  limitMs: number,
): Promise<number> {
  const begun = performance.now();
  for (;;) {
    const keys = new Set(devices.map(keyOf));
    const took = performance.now() - begun;
    if (keys.size === 1 && !before.has([...keys][0])) return took;
    if (took > limitMs) {
      const missing = devices.filter((each) => before.has(keyOf(each)));
      const told = missing[0]?.events.map(({ type }) => type).slice(-8);
      throw new Error(
        `${missing.length} of ${devices.length} have no new key, and there are ${keys.size} keys; one of them: ${told}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
