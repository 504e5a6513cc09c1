/** A whole MCX server out of its parts: SIP, calls of groups, MCData, and the listener for operators. */
import { hostname } from "node:os";
import { toHex } from "../../base/bytes.ts";
import { orLate, systemClock } from "../../base/clock.ts";
import { defined, ifDefined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import type { Core } from "../../bindings/core/core.ts";
import { ntpFromUnixMs } from "../../bindings/identity/ntp.ts";
import { MemoryReceiverState } from "../../bindings/index.ts";
import { toleranceOf } from "../../bindings/mikey/tolerance.ts";
import type { McxData, McxStore } from "../../store/index.ts";
import type { Admission } from "../../transport/admission/admission.ts";
import { openUdpPort } from "../../transport/datagram/udp-node.ts";
import { LegSockets, type LegSocketsOptions } from "../../transport/datagram/websocket-node.ts";
import { createSipEndpoint, type SipTransport } from "../../transport/sip/index.ts";
import { ReservedBlocks } from "../call/reserved-blocks.ts";
import { SeenMessages } from "../call/seen-messages.ts";
import type { XcapFetch } from "../group-keys/xcap-client.ts";
import type { HeldKeys, SecretStorage } from "../identity/index.ts";
import { createAdmission } from "../server/admission.ts";
import { DEVELOPMENT_TOKENS_WARNING, type DevelopmentIssuer } from "../server/development-tokens.ts";
import { type IssuerKeyStore, MemoryIssuerKeys } from "../server/issuer-keys.ts";
import { IssuerStates } from "../server/issuer-metrics.ts";
import { keyEndsOf } from "../server/key-metrics.ts";
import { LastingFaults } from "../server/lasting-faults.ts";
import { type Credentials, readCredentials, stopServer, urlOf } from "../server/listener.ts";
import { noLog, type ServerLog } from "../server/log.ts";
import { isLoopback } from "../server/loopback.ts";
import { Networks } from "../server/networks.ts";
import { warnOfPlainSip } from "../server/plain-sip.ts";
import { type ProcessRecord, ProcessReports } from "../server/process-reports.ts";
import { type Reconfiguration, ReplaceableVerifier, reconfiguration } from "../server/reconfigure.ts";
import { RefusedLog, sipLog } from "../server/refused-log.ts";
import { addressesOf, type SipAddresses, sipLimits, sipTransports } from "../server/sip-transports.ts";
import { Targets } from "../server/targets.ts";
import { createTokenVerifier, type TokenVerifier } from "../server/tokens.ts";
import type { McxState } from "./admin/metrics.ts";
import { createMcxAdminServer } from "./admin/server.ts";
import { Cluster } from "./cluster/cluster.ts";
import { fencedPort } from "./cluster/fenced-port.ts";
import {
  MCX_RELOADABLE,
  type McxConfig,
  type McxConfigInput,
  mcxConfigSchema,
  parseMcxConfig,
} from "./common/config.ts";
import { refusedConfig } from "./common/errors.ts";
import { addedTo, named } from "./common/totals.ts";
import { fileServerOf } from "./files/index.ts";
import { ServerGroupKeys } from "./group-keys.ts";
import { CallLog } from "./session/call-log.ts";
import { Emergencies } from "./session/emergencies.ts";
import { PrivateSessions } from "./session/private-sessions.ts";
import { GroupSessions } from "./session/sessions.ts";
import { VideoSessions } from "./session/video-sessions.ts";
import { Clients } from "./signalling/clients.ts";
import { Conferences } from "./signalling/conferences.ts";
import type { SignallingContext } from "./signalling/context.ts";
import { distribute, tellUndelivered } from "./signalling/data.ts";
import { serveSignalling } from "./signalling/index.ts";
import { Mailboxes } from "./signalling/mailboxes.ts";
import { MemoryMessages } from "./signalling/message-keeper.ts";
import { Musik } from "./signalling/musik-download.ts";
import { requireMember } from "./signalling/opened.ts";
import { Outsiders } from "./signalling/outsiders.ts";
import { XcapDirectory } from "./xcap-directory.ts";

export interface McxOptions {
  /** `gms` is needed: members are those of its group documents. */
  readonly config: McxConfigInput;
  /** For group keys that the GMS gives to the server; stays the caller's, as do core and keys. */
  readonly storage: SecretStorage;
  readonly core: Core;
  /** See `provisionMcxServer`. */
  readonly keys: HeldKeys;
  /** Sends requests to the GMS, with an access token of the server. */
  readonly fetch: XcapFetch;
  readonly gmsToken: () => Promise<string>;
  /** In place of what the configuration says of tokens. */
  readonly tokens?: TokenVerifier;
  /** Needed when the configuration says nothing of tokens and `tokens` is not given. */
  readonly developmentIssuer?: DevelopmentIssuer;
  /** Keeps the last known keys of the token issuer; for the life of this server when absent. */
  readonly issuerKeys?: IssuerKeyStore;
  /** PEM texts, in place of the files that the configuration names. */
  readonly credentials?: Credentials;
  /** Token of the operator; without it there are only health and metrics. */
  readonly adminToken?: string;
  /** Milliseconds since the Unix epoch. */
  readonly now?: () => number;
  readonly random?: RandomSource;
  readonly log?: ServerLog;
  /** In place of the sockets that the configuration asks for. */
  readonly sip?: { readonly transports: readonly SipTransport[] };
  /**
   * Store on the database that the processes of this server share; without it, this is the only process. The caller
   * closes it.
   */
  readonly store?: McxStore;
  /** Where files and messages for users who are away are kept; that of `store`, or the memory, when absent. */
  readonly data?: McxData;
  /** Shared with the other servers of the process; its own, by its configuration, when absent. */
  readonly admission?: Admission;
}

export interface McxAddresses {
  readonly adminUrl: string;
  readonly sip: SipAddresses;
  /** WebSocket for the media of pages, where there is one. */
  readonly mediaUrl?: string;
  /** The URL to which files are uploaded, where there is file distribution. */
  readonly filesUrl?: string;
}

export interface McxServer {
  readonly state: McxState;
  /** Processes of this server that live, as they reported themselves last. Rejects as the store. */
  processes(): Promise<readonly ProcessRecord[]>;
  /** Opens the listeners. */
  listen(): Promise<McxAddresses>;
  /**
   * Returns what another configuration would change, which nothing does before `apply`.
   *
   * @throws {MikeySakkeError} usage `BAD_CONFIG`
   */
  reconfigure(config: McxConfigInput): Promise<Reconfiguration>;
  /** Ends all calls and closes the listeners. */
  close(): Promise<void>;
}

/** @throws {MikeySakkeError} usage `BAD_CONFIG` */
export async function createMcxServer(options: McxOptions): Promise<McxServer> {
  const config = parseMcxConfig(options.config);
  const { keys, storage, fetch, now = Date.now, random = systemRandom, log = noLog, store } = options;
  const data = options.data ?? store?.data;
  requireIdentity(config, keys);
  const { gms, mcxUri, limits } = config;
  if (gms === undefined) throw refusedConfig("gms: the GMS whose groups are served");
  const issuerKeys = options.issuerKeys ?? new MemoryIssuerKeys();
  const issuers = new IssuerStates();
  const access = { ...options, issuerKeys, issuers };
  const tokens = new ReplaceableVerifier((of: McxConfig) => tokensOf(of, access, log), config);
  const credentials = await credentialsOf(config, options.credentials);
  const admission = options.admission ?? createAdmission(limits, log);
  const guard = { admission, refused: new RefusedLog(log, systemClock) };
  const sip = { credentials, limits: sipLimits(limits), admission, requestTimeout: limits.requestTimeout };
  const transports = options.sip?.transports ?? sipTransports(config.sip, sip);
  const clock = systemClock;
  // What was seen before is not known any more, but by a store, and by that not what came after its backup.
  const forgotten = store === undefined ? now() : (await store.restored())?.restoredAt;
  const shared = { fetch, token: options.gmsToken, now, clock };
  const given = config.mixing
    ? await ServerGroupKeys.open({
        ...shared,
        mcxUri,
        gms,
        keys: () => keys.current(),
        storage,
        tolerance: toleranceOf(config.tolerate) ?? {},
        pollMs: limits.keysMs,
        random,
      })
    : undefined;
  const counts: Record<string, number> = {};
  const musik = config.media.multicast === undefined ? undefined : new Musik(random);
  const faults = new LastingFaults(log, now);
  const directory = new XcapDirectory({
    ...shared,
    xcapRoot: gms.xcapRoot,
    maxAgeMs: limits.directoryMs,
    inUse: () => [...new Set([...sessions.groups(), ...videoSessions.groups()])],
    onError(group, error) {
      const isBad = error instanceof MikeySakkeError && error.kind === "codec";
      if (isBad) log.warn({ group, detail: error.message }, "a group document cannot be read");
      else faults.failed(DIRECTORY, error, "the GMS was not reached", { group });
    },
    onAnswer: () => faults.succeeded(DIRECTORY),
  });
  const legSockets = legSocketsOf(config, {
    credentials,
    admission,
    random,
    refused: (reason, source) => guard.refused.note({ reason, transport: "media WebSocket", source }),
  });
  const outsiders = new Outsiders(clock);
  const files = fileServerOf(config, {
    tokens,
    credentials,
    requireMember: async (group, user) => {
      await requireMember({ directory, outsiders, clock }, group, user, "mcdata");
    },
    guard,
    depot: data?.files,
    clock,
    now,
    random,
    log,
    count: (event) => context.count(event),
  });
  /** Ports of signalling and of the admin listener, once they are open. */
  let otherPorts: readonly (number | undefined)[] = [];
  const emergencies = new Emergencies(now);
  const callLog = new CallLog(now);
  const sessions: GroupSessions = new GroupSessions({
    config,
    openPort: (port) => openPort(config, port),
    fence: (port) => (cluster === undefined ? port : fencedPort(port, cluster.fence())),
    connections: legSockets,
    directory,
    keysOf: (group) => given?.of(group),
    musik: musik?.key,
    // All processes send mixed media under one GUK-ID.
    blocks: new ReservedBlocks(store?.records ?? storage, { userUri: mcxUri, random }),
    changed: (group) => conferences.changed(group),
    ended: (group) => cluster?.ended(group),
    callLog,
    emergency: (group, user) => {
      context.count("emergency");
      log.warn({ group, user }, "emergency call");
      emergencies.called(group, user);
    },
    otherPorts: () => otherPorts,
    clock,
    random,
  });
  const videoSessions: VideoSessions = new VideoSessions(sessions.maker, {
    clock,
    directory,
    ended: (group) => cluster?.ended(group),
  });
  const privateSessions = new PrivateSessions(sessions.maker);
  const clients = new Clients(clock, (client) => {
    sessions.remove(client.user, client);
    videoSessions.remove(client.user, client);
    privateSessions.remove(client);
    conferences.gone(client);
  });
  const keeper = data?.messages ?? new MemoryMessages(clock, limits.clients);
  const mailboxes = new Mailboxes({ limits, keeper, clock, log, faults });
  const state: McxState = {
    sessions: () => sessions.states(),
    emergencies: () => emergencies.list(),
    onEmergency: (begun) => emergencies.on(begun),
    calls: () => callLog.list(),
    onCall: (changed) => callLog.on(changed),
    clients: () => clients.users(),
    privateCalls: () => privateSessions.size,
    videoCalls: () => videoSessions.groups().length,
    totals: () => ({
      ...addedTo(sessions.totals(), privateSessions.totals()),
      ...named("video", videoSessions.totals()),
      ...counts,
    }),
  };
  const ready = async () => {
    keys.current();
    if (cluster?.isLive === false) throw notLive();
  };
  const reports = new ProcessReports({
    server: "mcx",
    name: `${hostname()}:${toHex(random(NAME_BYTES))}`,
    store: store?.processes,
    ready,
    timer: clock,
    now,
  });
  const admin = createMcxAdminServer({
    state,
    ready,
    async refreshKms() {
      await keys.refresh();
      return [...new Set(keys.current().domains.map(({ kmsUri }) => kmsUri))].sort();
    },
    log,
    random,
    guard,
    issuers,
    credentials,
    keyEnds: keyEndsOf(() => keys.current(), now),
    pool: store && (() => store.pool()),
    ...defined({ token: options.adminToken }),
  });
  const targets = new Targets(config.sip, config.media.allowedNetworks);
  const endpoint = createSipEndpoint({
    transports,
    clock,
    random,
    user: "mcx",
    targets,
    log: sipLog(log, guard.refused),
    limits: sip.limits,
    admission,
    ...defined({ outboundProxy: config.sip.outboundProxy }),
  });
  const cluster: Cluster | undefined =
    store &&
    new Cluster({
      store,
      contacts: () =>
        Object.fromEntries(endpoint.transports.map((name) => [name.toLowerCase(), endpoint.contact(name)])),
      leaseMs: limits.leaseSeconds * 1000,
      isOpen: (group) => [sessions, videoSessions].some((calls) => calls.groups().includes(group)),
      onLost: () => void sendAway(),
      deliver: (sds) => distribute(context, sds, undefined),
      clock,
      now,
      random,
      faults,
      log,
    });
  /** Ends all calls, whose clients go on elsewhere. */
  async function sendAway(free = async () => {}): Promise<void> {
    const dialogs = [
      ...(await sessions.endAll()),
      ...(await videoSessions.endAll()),
      ...(await privateSessions.endAll()),
    ];
    await free();
    await Promise.all(dialogs.map((dialog) => dialog.bye("moved")));
  }
  let closing: Promise<void> | undefined;
  const context: SignallingContext = {
    config,
    endpoint,
    keys: () => keys.current(),
    tokens,
    directory,
    clients,
    sessions,
    videoSessions,
    privateSessions,
    targets,
    seen: new MemoryReceiverState({
      maxKeys: MAX_SEEN,
      maxMessages: MAX_SEEN,
      ...defined({ refuseUpTo: ifDefined(forgotten, ntpFromUnixMs) }),
    }),
    messages: new SeenMessages({ senders: limits.clients, each: MESSAGES_OF_SENDER }),
    mailboxes,
    outsiders,
    fileAt: files?.fileAt,
    urlHere: files?.urlHere,
    cluster,
    isStopping: () => closing !== undefined,
    clock,
    now,
    random,
    log,
    count: (event) => {
      counts[event] = (counts[event] ?? 0) + 1;
    },
  };

  const conferences: Conferences = new Conferences(context);

  const close = () => {
    closing ??= stop();
    return closing;
  };
  async function stop(): Promise<void> {
    const milliseconds = limits.stopTimeout * 1000;
    directory.stop();
    conferences.close();
    mailboxes.close();
    files?.close();
    const reported = reports.close();
    await cluster?.retire();
    // The BYEs to participants that have vanished have no answer.
    const ended = sendAway(() => cluster?.end() ?? Promise.resolve()).then(() =>
      Promise.all([sessions.close(), videoSessions.close()]),
    );
    await Promise.all([
      stopServer(admin, milliseconds),
      files && stopServer(files.app, milliseconds),
      orLate(ended, clock, milliseconds),
    ]);
    await legSockets?.close();
    // What waits for an answer fails now.
    await endpoint.close();
    await ended;
    await given?.close();
    clients.close();
    musik?.destroy();
    await reported;
  }

  return {
    state,
    processes: () => reports.list(),
    async reconfigure(input) {
      const running = { schema: mcxConfigSchema, reloadable: MCX_RELOADABLE, config, tokens };
      return reconfiguration(running, parseMcxConfig(input));
    },
    close,
    async listen() {
      try {
        await admin.listen(config.admin);
        warnOfPlainSip(config.sip, log);
        serveSignalling({ ...context, refused: guard.refused, musik, conferences });
        given?.start();
        directory.start();
        await legSockets?.listen();
        await files?.listen();
        await endpoint.start();
        await cluster?.start();
        mailboxes.start((lost) => void tellUndelivered(context, lost));
        reports.start();
      } catch (error) {
        await close();
        throw error;
      }
      const adminUrl = urlOf(admin, "http", config.admin.host);
      const sip = addressesOf(transports);
      const signalling = transports.map(({ sentBy }) => sentBy.port);
      otherPorts = [Number(new URL(adminUrl).port), ...signalling, legSockets?.port, files?.port()];
      const media = defined({ mediaUrl: legSockets?.url, filesUrl: files?.url() });
      log.info({ adminUrl, ...sip, mcxUri, ...media }, "listening");
      return { adminUrl, sip, ...media };
    },
  };
}

/** Clients encrypt their CSKs to `mcxUri`: of another identity none could be opened. */
function requireIdentity({ mcxUri, kmsUri }: McxConfig, keys: HeldKeys): void {
  const { initiator } = keys.current();
  if (initiator.uri === mcxUri && initiator.kmsUri === kmsUri) return;
  throw refusedConfig(`mcxUri, kmsUri: the keys are those of ${initiator.uri} of KMS ${initiator.kmsUri}`);
}

function tokensOf(
  config: McxConfig,
  { tokens, developmentIssuer, issuerKeys, issuers }: McxOptions & { readonly issuers: IssuerStates },
  log: ServerLog,
): TokenVerifier {
  if (tokens !== undefined) return tokens;
  if (config.tokens !== undefined)
    return createTokenVerifier(config.tokens, defined({ issuerKeys, issuers, log }));
  if (developmentIssuer === undefined) throw refusedConfig("tokens: name an issuer of access tokens");
  if (!isLoopback(config.sip.host)) {
    throw refusedConfig("sip.host: development tokens are for loopback addresses only");
  }
  log.warn({}, `DEVELOPMENT TOKENS: ${DEVELOPMENT_TOKENS_WARNING}`);
  return developmentIssuer.verifier(config.mcxUri);
}

async function credentialsOf(
  { tls, sip, media }: McxConfig,
  given: Credentials | undefined,
): Promise<Credentials | undefined> {
  const credentials = given ?? (tls && (await readCredentials(tls)));
  const secure = [sip.tlsPort, sip.wssPort, media.wssPort];
  if (credentials === undefined && secure.some((port) => port !== undefined)) {
    throw refusedConfig("tls: needed for sip.tlsPort, sip.wssPort and media.wssPort");
  }
  return credentials;
}

function notLive(): MikeySakkeError {
  return new MikeySakkeError(
    "transport",
    "LEASE_OVER",
    "the database does not know this process as one that lives",
  );
}

/** Tells the processes of a host apart. */
const NAME_BYTES = 4;
/** The part of the server that reads group documents, in the log. */
const DIRECTORY = "directory";
/** CSKs of some minutes: many times all clients. */
const MAX_SEEN = 1_000_000;
/** As many as a sender can have without an answer. */
const MESSAGES_OF_SENDER = 64;
/** Media come in bursts from many. */
const RECEIVE_BUFFER = 1 << 20;

function openPort({ media }: McxConfig, port: number) {
  const { host, multicast } = media;
  return openUdpPort({
    host,
    port,
    receiveBuffer: RECEIVE_BUFFER,
    ...(multicast && { multicast: { interface: multicast.interface ?? host } }),
  });
}

function legSocketsOf(
  { sip, media, limits }: McxConfig,
  {
    credentials,
    ...shared
  }: Pick<LegSocketsOptions, "admission" | "random" | "refused"> & {
    readonly credentials: Credentials | undefined;
  },
): LegSockets | undefined {
  const port = media.wssPort ?? media.wsPort;
  if (port === undefined) return undefined;
  const proxies = new Networks(sip.trustedProxies);
  return new LegSockets({
    host: sip.host,
    port,
    advertisedHost: sip.advertisedHost,
    ...(media.wssPort !== undefined && { tls: { ...credentials } }),
    origins: sip.origins,
    shared: (address) => proxies.has(address),
    messageTimeout: limits.requestTimeout * 1000,
    ...shared,
  });
}
