/** An MCX server and its clients on sockets of this machine, with keys of a KMS and a directory that the test writes. */

import { defined } from "../../../base/defined.ts";
import type { RandomSource } from "../../../base/random.ts";
import type { Core } from "../../../bindings/core/core.ts";
import { type DeliveredKey, type KeyId, MemoryReceiverState, systemRandom } from "../../../bindings/index.ts";
import { SeenMessages } from "../../../roles/call/seen-messages.ts";
import {
  createMcxClient,
  type McxClient,
  type McxClientEvent,
  type McxClientOptions,
} from "../../../roles/client/mcx/index.ts";
import { registerInIms } from "../../../roles/identity/ims.ts";
import type { ClientKeys } from "../../../roles/identity/index.ts";
import { type McxConfigInput, parseMcxConfig } from "../../../roles/mcx/common/config.ts";
import type { GroupDirectory, GroupRules } from "../../../roles/mcx/common/directory.ts";
import type { Sds } from "../../../roles/mcx/common/sds.ts";
import { type FileServer, fileServerOf } from "../../../roles/mcx/files/index.ts";
import { GroupSessions } from "../../../roles/mcx/index.ts";
import { CallLog } from "../../../roles/mcx/session/call-log.ts";
import { PrivateSessions } from "../../../roles/mcx/session/private-sessions.ts";
import { VideoSessions } from "../../../roles/mcx/session/video-sessions.ts";
import { Clients } from "../../../roles/mcx/signalling/clients.ts";
import { Conferences } from "../../../roles/mcx/signalling/conferences.ts";
import type { SignallingContext } from "../../../roles/mcx/signalling/context.ts";
import { distribute, tellUndelivered } from "../../../roles/mcx/signalling/data.ts";
import { serveSignalling } from "../../../roles/mcx/signalling/index.ts";
import { Mailboxes } from "../../../roles/mcx/signalling/mailboxes.ts";
import { MemoryMessages } from "../../../roles/mcx/signalling/message-keeper.ts";
import { Musik } from "../../../roles/mcx/signalling/musik-download.ts";
import { requireMember } from "../../../roles/mcx/signalling/opened.ts";
import { Outsiders } from "../../../roles/mcx/signalling/outsiders.ts";
import { LastingFaults } from "../../../roles/server/lasting-faults.ts";
import { ownGuard } from "../../../roles/server/listener.ts";
import { noLog } from "../../../roles/server/log.ts";
import { RefusedLog } from "../../../roles/server/refused-log.ts";
import { Targets } from "../../../roles/server/targets.ts";
import type { McxData } from "../../../store/index.ts";
import type { DatagramPort } from "../../../transport/datagram/ports.ts";
import { openUdpPort } from "../../../transport/datagram/udp-node.ts";
import { LegSockets } from "../../../transport/datagram/websocket-node.ts";
import {
  type Clock,
  type Credentials,
  createSipEndpoint,
  type SipEndpoint,
  type SipTransport,
  systemClock,
} from "../../../transport/sip/index.ts";
import {
  onePort,
  tcpTransport,
  udpTransport,
  webSocketServerTransport,
} from "../../../transport/sip/index-node.ts";
import { gmkOf } from "../../media/packets.ts";
import { VirtualClock } from "../../support/clock.ts";
import { HOME_KMS, makeKms, sharedCore, type TestKms } from "../../support/world.ts";
import { clientKeysOf, GROUP, MCX, NAMES, nameTokens, OTHER, tokenOf } from "./parts.ts";

export * from "./parts.ts";

const HOST = "127.0.0.1";

/** Members by group, which a test may change. */
export class TestDirectory implements GroupDirectory {
  readonly groups = new Map<string, Set<string>>();
  readonly rules = new Map<string, GroupRules>();
  isReachable = true;
  readonly #listeners = new Set<(groupUri: string) => void>();

  async member(group: string, user: string) {
    if (!this.isReachable) throw new Error("no route");
    const rules = this.rules.get(group);
    const member = { uri: user, priority: 255, ...defined({ group: rules }) };
    return this.groups.get(group)?.has(user) ? member : undefined;
  }

  async members(group: string) {
    if (!this.isReachable) throw new Error("no route");
    return [...(this.groups.get(group) ?? [])];
  }

  onChange(listener: (groupUri: string) => void) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  remove(group: string, user: string): void {
    this.groups.get(group)?.delete(user);
    this.#changed(group);
  }

  /** The rules of a group that has a call, from now on. */
  follow(group: string, rules: GroupRules): void {
    this.rules.set(group, rules);
    this.#changed(group);
  }

  #changed(group: string): void {
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
  readonly directory = new TestDirectory();
  readonly counts: Record<string, number> = {};
  readonly callLog = new CallLog(Date.now);
  /** Lines of the server's log of refusals. */
  readonly refusals: object[] = [];
  /** Messages to the server, as somebody on the way could record them. */
  readonly recorded: Uint8Array[] = [];
  messages!: SeenMessages;
  /** The clock of the pauses between NOTIFYs of a call. */
  readonly conferenceClock = new VirtualClock();
  /** Two processes of one server have the same. */
  groupKeys = keysOf([...NAMES, MCX]);
  readonly #closers: (() => unknown)[] = [];
  #cluster: SignallingContext["cluster"];
  #data: McxData | undefined;
  /** Takes a message of another process. */
  deliver!: (sds: Sds) => Promise<void>;
  core!: Core;
  kms!: TestKms;
  /** KMSs that the Home KMS permits. */
  partners: readonly TestKms[] = [];
  clients!: Clients;
  sessions!: GroupSessions;
  videoSessions!: VideoSessions;
  privateSessions!: PrivateSessions;
  endpoint!: SipEndpoint;
  address!: string;
  /** Of SIP over WebSocket, where the configuration has that. */
  wsPort: number | undefined;
  files: FileServer | undefined;
  /** Milliseconds by which the clock of the files is ahead. */
  later = 0;

  static async create(
    config: Partial<McxConfigInput> = {},
    mixes = false,
    partnersOf: (core: Core) => TestKms[] = () => [],
    cluster?: SignallingContext["cluster"],
    data?: McxData,
  ): Promise<McxWorld> {
    const world = new McxWorld();
    world.#cluster = cluster;
    world.#data = data;
    ({ core: world.core, kms: world.kms } = await homeDomain());
    world.partners = partnersOf(world.core);
    await world.#serve(config, mixes);
    return world;
  }

  keys(user: string): ClientKeys {
    return clientKeysOf(this.kms, user);
  }

  async #serve(given: Partial<McxConfigInput>, mixes: boolean): Promise<void> {
    const config = parseMcxConfig({ mcxUri: MCX, kmsUri: HOME_KMS, ...given });
    const targets = new Targets(config.sip, config.media.allowedNetworks);
    const {
      endpoint,
      port,
      wsPort: webSocketPort,
    } = await endpointOf({
      targets,
      ...defined({ wsPort: config.sip.wsPort }),
      incoming: (octets, pass) => {
        this.recorded.push(octets.slice());
        pass();
      },
    });
    this.endpoint = endpoint;
    this.address = `sip:${HOST}:${port}`;
    this.wsPort = webSocketPort;
    const clock = systemClock;
    const random = systemRandom;
    const musik = config.media.multicast && new Musik(random);
    const { wsPort } = config.media;
    const connections =
      wsPort === undefined ? undefined : new LegSockets({ host: HOST, port: wsPort, origins: [], random });
    await connections?.listen();
    const { multicast } = config.media;
    this.sessions = new GroupSessions({
      config,
      openPort: (number) =>
        openUdpPort({
          host: HOST,
          port: number,
          receiveBuffer: 1 << 20,
          ...(multicast && { multicast: { interface: HOST } }),
        }),
      connections,
      directory: this.directory,
      keysOf: (group) => (mixes ? this.groupKeys(MCX, group) : undefined),
      musik: musik?.key,
      changed: (group) => conferences.changed(group),
      callLog: this.callLog,
      clock,
      random,
    });
    this.videoSessions = new VideoSessions(this.sessions.maker, { directory: this.directory, clock });
    this.privateSessions = new PrivateSessions(this.sessions.maker);
    this.clients = new Clients(clock, (client) => {
      this.sessions.remove(client.user, client);
      this.videoSessions.remove(client.user, client);
      this.privateSessions.remove(client);
      conferences.gone(client);
    });
    this.messages = new SeenMessages({ senders: 100, each: 64 });
    const keys = clientKeysOf(this.kms, MCX, this.partners);
    const outsiders = new Outsiders(clock);
    const mailboxes = new Mailboxes({
      limits: config.limits,
      keeper: this.#data?.messages ?? new MemoryMessages(clock, config.limits.clients),
      clock,
      log: noLog,
      faults: new LastingFaults(noLog),
    });
    this.files = fileServerOf(config, {
      tokens: nameTokens,
      credentials: undefined,
      requireMember: async (group, user) => {
        await requireMember({ directory: this.directory, outsiders, clock }, group, user, "mcdata");
      },
      guard: ownGuard(),
      depot: this.#data?.files,
      clock,
      now: () => Date.now() + this.later,
      random,
      log: noLog,
      count: (event) => context.count(event),
    });
    await this.files?.listen();
    const context: SignallingContext = {
      config,
      endpoint,
      keys: () => keys,
      tokens: nameTokens,
      directory: this.directory,
      clients: this.clients,
      sessions: this.sessions,
      videoSessions: this.videoSessions,
      privateSessions: this.privateSessions,
      targets,
      seen: new MemoryReceiverState(),
      messages: this.messages,
      mailboxes,
      outsiders,
      fileAt: this.files?.fileAt,
      urlHere: this.files?.urlHere,
      cluster: this.#cluster,
      clock,
      now: Date.now,
      random,
      log: noLog,
      count: (event) => {
        this.counts[event] = (this.counts[event] ?? 0) + 1;
      },
    };
    const refused = new RefusedLog({ ...noLog, warn: (facts) => this.refusals.push(facts) }, clock);
    const conferences: Conferences = new Conferences({ ...context, clock: this.conferenceClock });
    serveSignalling({ ...context, refused, musik, conferences });
    mailboxes.start((lost) => void tellUndelivered(context, lost));
    this.deliver = (sds) => distribute(context, sds, undefined);
    this.#closers.push(
      () => conferences.close(),
      () => mailboxes.close(),
      () => endpoint.close(),
      () => connections?.close(),
      () => this.files?.close(),
      () => this.files?.app.close(),
      () => this.sessions.close(),
      () => this.videoSessions.close(),
      () => this.clients.close(),
    );
  }

  /** A client of that user, who says so with the token `for-NAME`. */
  async device(
    user: string,
    changes: Pick<
      McxClientOptions,
      "codecs" | "expires" | "sessionTimer" | "onPrivateCall" | "files" | "mediaBlocks"
    > & {
      /** Sees the sockets of media and their control before the client does. */
      tap?: (port: DatagramPort) => DatagramPort;
      clock?: Clock;
      token?: string;
      signsAs?: string;
      /** Whose keys private calls are signed with from now on. */
      signer?: () => string;
      random?: RandomSource;
      udp?: false;
      mediaHost?: string;
      incoming?: Incoming;
      /** IMS public user identity: requests have it, and only the upload of a CSK a token. */
      ims?: string;
      /** The core where it registers, and through which all requests go. */
      core?: { port: number; password: string };
    } = {},
  ): Promise<Device> {
    const { udp, incoming, core } = changes;
    const { endpoint } = await endpointOf({
      udp,
      incoming,
      ...(core && {
        outboundProxy: `sip:${HOST}:${core.port};lr`,
        credentials: { digest: { user: changes.ims!.slice(4).split("@")[0]!, password: core.password } },
      }),
    });
    const registration =
      core &&
      (await registerInIms({
        identity: changes.ims!,
        registrar: "sip:home1.net",
        endpoint,
        clock: systemClock,
      }));
    const events: McxClientEvent[] = [];
    const { signer = () => changes.signsAs ?? user } = changes;
    const held = new Map<string, ClientKeys>();
    const keysOf = (name: string) => {
      const known = held.get(name) ?? this.keys(name);
      held.set(name, known);
      return known;
    };
    const client = createMcxClient({
      userUri: user,
      ...(changes.ims !== undefined && { ims: { identity: changes.ims } }),
      mcxUri: MCX,
      sipUri: core ? MCX : `${this.address}${changes.udp === false ? ";transport=tcp" : ""}`,
      endpoint,
      keys: () => keysOf(signer()),
      ...defined({ onPrivateCall: changes.onPrivateCall }),
      ...defined({ files: changes.files }),
      token: async () => changes.token ?? tokenOf(user),
      groupKeys: (group) => this.groupKeys(user, group),
      openPort: async (group) => {
        const { mediaHost = HOST, tap = (port: DatagramPort) => port } = changes;
        const port = await openUdpPort({
          host: group === undefined ? mediaHost : group.host,
          receiveBuffer: 1 << 20,
          ...(group && { port: group.port, multicast: { interface: HOST, join: group.host } }),
        });
        return tap(port);
      },
      ...defined({ expires: changes.expires, sessionTimer: changes.sessionTimer, codecs: changes.codecs }),
      ...defined({ mediaBlocks: changes.mediaBlocks }),
      clock: changes.clock ?? systemClock,
      now: Date.now,
      random: changes.random ?? systemRandom,
      onEvent: (event) => events.push(event),
    });
    this.#closers.push(async () => {
      await client.close();
      await registration?.close();
      await endpoint.close();
      for (const keys of held.values()) keys.destroy();
    });
    return { client, endpoint, events };
  }

  async close(): Promise<void> {
    for (let next = this.#closers.pop(); next !== undefined; next = this.#closers.pop()) await next();
  }
}

let home: Promise<{ readonly core: Core; readonly kms: TestKms }> | undefined;

/** The same for all worlds, as its tables take longer to make than most tests run. */
function homeDomain() {
  home ??= sharedCore().then((core) => ({ core, kms: makeKms(core, HOME_KMS) }));
  return home;
}

/** UDP and TCP on one port. */
async function endpointOf({
  targets,
  incoming = (_, pass) => pass(),
  udp = true,
  wsPort,
  ...agent
}: {
  targets?: Targets;
  incoming?: Incoming | undefined;
  udp?: boolean | undefined;
  wsPort?: number;
  outboundProxy?: string;
  credentials?: Credentials;
} = {}): Promise<{ endpoint: SipEndpoint; port: number; wsPort: number | undefined }> {
  const listening = (port: number) => tcpTransport({ listen: { host: HOST, port } });
  const transports = udp ? onePort(() => udpTransport({ host: HOST }), listening) : [listening(0)];
  const webSocket = wsPort === undefined ? undefined : webSocketServerTransport({ host: HOST, port: wsPort });
  const endpoint = createSipEndpoint({
    transports: [...transports, ...(webSocket ? [webSocket] : [])].map((one) => watched(one, incoming)),
    clock: systemClock,
    random: systemRandom,
    ...defined({ targets }),
    ...agent,
  });
  await endpoint.start();
  return { endpoint, port: transports[0]!.sentBy.port!, wsPort: webSocket?.sentBy.port };
}

/** Asserts the identity that a user prefers, as an IMS core does that has authenticated its users (RFC 3325 6). */
function asserting(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString("latin1");
  return Buffer.from(text.replace("P-Preferred-Identity:", "P-Asserted-Identity:"), "latin1");
}

/** Gets each message before the endpoint does, which does not get it before `pass`. */
type Incoming = (octets: Uint8Array, pass: () => void) => void;

/** A transport whose messages a test sees. */
export function watched(transport: SipTransport, incoming: Incoming): SipTransport {
  const { start } = transport;
  transport.start = (events) =>
    start.call(transport, {
      ...events,
      message(bytes, flow) {
        incoming(bytes, () => events.message(asserting(bytes), flow));
      },
    });
  return transport;
}

/** Waits until it holds, and rejects if that is not so within a minute. */
export async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error("it does not come");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
