/** An MCX server and its clients on sockets of this machine, with keys of a KMS and a directory that the test writes. */
import { type Core, load } from "../../bindings/core.ts";
import { type DeliveredKey, type KeyId, MemoryReceiverState, systemRandom } from "../../bindings/index.ts";
import { freePort } from "../../cli/free-port.ts";
import type { ClientKeys } from "../../roles/client/index.ts";
import { createMcxClient, type McxClient, type McxClientEvent } from "../../roles/client/mcx/index.ts";
import { type McxConfigInput, parseMcxConfig } from "../../roles/mcx-server/config.ts";
import type { GroupDirectory } from "../../roles/mcx-server/directory.ts";
import { GroupSessions } from "../../roles/mcx-server/index.ts";
import { Clients } from "../../roles/mcx-server/signalling/clients.ts";
import type { SignallingContext } from "../../roles/mcx-server/signalling/context.ts";
import { serveSignalling } from "../../roles/mcx-server/signalling/index.ts";
import { Musik } from "../../roles/mcx-server/signalling/musik.ts";
import { noLog } from "../../roles/server/log.ts";
import { openUdpPort } from "../../transport/datagram/udp-node.ts";
import { createSipEndpoint, type SipEndpoint, systemClock } from "../../transport/sip/index.ts";
import { tcpTransport, udpTransport } from "../../transport/sip/index-node.ts";
import { gmkOf } from "../media/packets.ts";
import { HOME_KMS, makeKms, type TestKms } from "../support/domain.ts";
import { clientKeysOf, GROUP, MCX, NAMES, nameTokens, OTHER, tokenOf } from "./parts.ts";

export * from "./parts.ts";

const HOST = "127.0.0.1";

/** Members by group, which a test may change. */
export class Book implements GroupDirectory {
  readonly groups = new Map<string, Set<string>>();
  isReachable = true;
  readonly #listeners = new Set<(groupUri: string) => void>();

  async member(group: string, user: string) {
    if (!this.isReachable) throw new Error("no route");
    return this.groups.get(group)?.has(user) ? { uri: user, priority: 255 } : undefined;
  }

  async exists(group: string) {
    return this.groups.has(group);
  }

  onChange(listener: (groupUri: string) => void) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  remove(group: string, user: string): void {
    this.groups.get(group)?.delete(user);
    for (const listener of this.#listeners) listener(group);
  }
}

/** A GMK of each group as its members, and perhaps the server, hold it. */
function keysOf(members: readonly string[]) {
  const keys = new Map<string, Map<string, DeliveredKey>>();
  for (const [i, group] of [GROUP, OTHER].entries()) {
    const held = gmkOf((0x0100000 + i) as KeyId, members);
    keys.set(group, new Map(members.map((user, n) => [user, held[n]!])));
  }
  return (user: string, group: string) => {
    const key = keys.get(group)?.get(user);
    return {
      sending: () => key,
      receiving: (id: KeyId) => (key?.keyId === id ? key : undefined),
    };
  };
}

export interface Device {
  readonly client: McxClient;
  readonly endpoint: SipEndpoint;
  readonly events: McxClientEvent[];
}

export class McxWorld {
  readonly book = new Book();
  readonly counts: Record<string, number> = {};
  readonly groupKeys = keysOf([...NAMES, MCX]);
  readonly #closers: (() => unknown)[] = [];
  core!: Core;
  kms!: TestKms;
  clients!: Clients;
  sessions!: GroupSessions;
  endpoint!: SipEndpoint;
  address!: string;

  static async create(config: Partial<McxConfigInput> = {}, mixes = false): Promise<McxWorld> {
    const world = new McxWorld();
    world.core = await load();
    world.kms = makeKms(world.core, HOME_KMS);
    await world.#serve(config, mixes);
    return world;
  }

  keys(user: string): ClientKeys {
    return clientKeysOf(this.kms, user);
  }

  async #serve(given: Partial<McxConfigInput>, mixes: boolean): Promise<void> {
    const config = parseMcxConfig({ mcxUri: MCX, kmsUri: HOME_KMS, ...given });
    const { endpoint, port } = await endpointOf();
    this.endpoint = endpoint;
    this.address = `sip:${HOST}:${port}`;
    const clock = systemClock;
    const random = systemRandom;
    const musik = config.media.multicast && new Musik(random);
    const { multicast } = config.media;
    this.sessions = new GroupSessions({
      config,
      openPort: (number) =>
        openUdpPort({ host: HOST, port: number, ...(multicast && { multicast: { interface: HOST } }) }),
      directory: this.book,
      keysOf: (group) => (mixes ? this.groupKeys(MCX, group) : undefined),
      musik: musik?.key,
      clock,
      random,
    });
    this.clients = new Clients(clock, (client) => this.sessions.remove(client.user, client));
    const keys = this.keys(MCX);
    const context: SignallingContext = {
      config,
      endpoint,
      keys: () => keys,
      tokens: nameTokens,
      directory: this.book,
      clients: this.clients,
      sessions: this.sessions,
      seen: new MemoryReceiverState(),
      clock,
      now: Date.now,
      random,
      log: noLog,
      count: (event) => {
        this.counts[event] = (this.counts[event] ?? 0) + 1;
      },
    };
    serveSignalling({ ...context, musik });
    this.#closers.push(
      () => endpoint.close(),
      () => this.sessions.close(),
      () => this.clients.close(),
    );
  }

  /** A client of that user, who says so with the token `for-NAME`. */
  async device(
    user: string,
    changes: { token?: string; signsAs?: string; expires?: number } = {},
  ): Promise<Device> {
    const { endpoint } = await endpointOf();
    const events: McxClientEvent[] = [];
    const keys = this.keys(changes.signsAs ?? user);
    const client = createMcxClient({
      userUri: user,
      mcxUri: MCX,
      sipUri: this.address,
      endpoint,
      keys: () => keys,
      token: async () => changes.token ?? tokenOf(user),
      groupKeys: (group) => this.groupKeys(user, group),
      openPort: (group) =>
        openUdpPort({
          host: group === undefined ? HOST : group.host,
          ...(group && { port: group.port, multicast: { interface: HOST, join: group.host } }),
        }),
      ...(changes.expires !== undefined && { expires: changes.expires }),
      clock: systemClock,
      now: Date.now,
      random: systemRandom,
      onEvent: (event) => events.push(event),
    });
    this.#closers.push(async () => {
      await client.close();
      await endpoint.close();
      keys.destroy();
    });
    return { client, endpoint, events };
  }

  async close(): Promise<void> {
    for (let next = this.#closers.pop(); next !== undefined; next = this.#closers.pop()) await next();
    this.core.destroy();
  }
}

/** UDP and TCP on one port. */
async function endpointOf(): Promise<{ endpoint: SipEndpoint; port: number }> {
  const port = await freePort(HOST);
  const both = { host: HOST, port };
  const endpoint = createSipEndpoint({
    transports: [udpTransport(both), tcpTransport({ listen: both })],
    clock: systemClock,
    random: systemRandom,
  });
  await endpoint.start();
  return { endpoint, port };
}

/** Until it holds, for five seconds. */
export async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > end) throw new Error("it does not come");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
