/** A whole MCX server out of its parts: SIP, calls of groups, MCData, and the listener for operators. */
import type { Core } from "../../bindings/core.ts";
import { MemoryReceiverState } from "../../bindings/index.ts";
import { type RandomSource, systemRandom } from "../../bindings/random.ts";
import { openUdpPort } from "../../transport/datagram/udp-node.ts";
import { createSipEndpoint, type SipTransport, systemClock } from "../../transport/sip/index.ts";
import type { XcapFetch } from "../client/group/xcap-client.ts";
import type { HeldKeys, SecretStorage } from "../client/index.ts";
import type { DevelopmentIssuer } from "../server/development-tokens.ts";
import { type Credentials, readCredentials, stopServer, urlOf } from "../server/listener.ts";
import { noLog, type ServerLog } from "../server/log.ts";
import { isLoopback } from "../server/loopback.ts";
import { addressesOf, type SipAddresses, sipTransports } from "../server/sip-transports.ts";
import { createTokenVerifier, type TokenVerifier } from "../server/tokens.ts";
import type { McxState } from "./admin/metrics.ts";
import { createMcxAdminServer } from "./admin/server.ts";
import { type McxConfig, type McxConfigInput, parseMcxConfig, refusedConfig } from "./config.ts";
import { GivenGroupKeys } from "./group-keys.ts";
import { GroupSessions } from "./session/sessions.ts";
import { Clients } from "./signalling/clients.ts";
import type { SignallingContext } from "./signalling/context.ts";
import { serveSignalling } from "./signalling/index.ts";
import { Musik } from "./signalling/musik.ts";
import { XcapDirectory } from "./xcap-directory.ts";

export interface McxOptions {
  /** `gms` is needed: members are those of its group documents. */
  readonly config: McxConfigInput;
  /** For group keys that the GMS gives to the server; stays the caller's, as do core and keys. */
  readonly storage: SecretStorage;
  readonly core: Core;
  /** See `provisionMcxServer`. */
  readonly keys: HeldKeys;
  /** Of requests to the GMS, with an access token of the server. */
  readonly fetch: XcapFetch;
  readonly gmsToken: () => Promise<string>;
  /** In place of what the configuration says of tokens. */
  readonly tokens?: TokenVerifier;
  /** Needed when the configuration says nothing of tokens and `tokens` is not given. */
  readonly developmentIssuer?: DevelopmentIssuer;
  /** PEM texts, in place of the files that the configuration names. */
  readonly credentials?: Credentials;
  /** Of the operator; without it there is health and metrics only. */
  readonly adminToken?: string;
  /** Milliseconds since the Unix epoch. */
  readonly now?: () => number;
  readonly random?: RandomSource;
  readonly log?: ServerLog;
  /** In place of the sockets that the configuration asks for. */
  readonly sip?: { readonly transports: readonly SipTransport[] };
}

export interface McxAddresses {
  readonly adminUrl: string;
  readonly sip: SipAddresses;
}

export interface McxServer {
  readonly state: McxState;
  /** Opens the listeners. */
  listen(): Promise<McxAddresses>;
  /** Ends all calls and closes the listeners. */
  close(): Promise<void>;
}

/** @throws {MikeySakkeError} usage `BAD_CONFIG` */
export async function createMcxServer(options: McxOptions): Promise<McxServer> {
  const config = parseMcxConfig(options.config);
  const { keys, storage, fetch, now = Date.now, random = systemRandom, log = noLog } = options;
  requireIdentity(config, keys);
  const { gms, mcxUri, limits } = config;
  if (gms === undefined) throw refusedConfig("gms: the GMS whose groups are served");
  const tokens = tokensOf(config, options, log);
  const credentials = await credentialsOf(config, options.credentials);
  const transports = options.sip?.transports ?? sipTransports(config.sip, credentials);
  const clock = systemClock;
  const shared = { fetch, token: options.gmsToken, now, clock };
  const given = config.mixing
    ? await GivenGroupKeys.open({
        ...shared,
        mcxUri,
        gms,
        keys: () => keys.current(),
        storage,
        pollMs: limits.keysMs,
        random,
      })
    : undefined;
  const counts: Record<string, number> = {};
  const musik = config.media.multicast === undefined ? undefined : new Musik(random);
  const directory = new XcapDirectory({
    ...shared,
    xcapRoot: gms.xcapRoot,
    maxAgeMs: limits.directoryMs,
    inUse: () => sessions.groups(),
    onError: (group, error) => log.warn({ group, detail: String(error) }, "the GMS was not reached"),
  });
  const sessions: GroupSessions = new GroupSessions({
    config,
    openPort: (port) => openPort(config, port),
    directory,
    keysOf: (group) => given?.of(group),
    musik: musik?.key,
    clock,
    random,
  });
  const clients = new Clients(clock, (client) => sessions.remove(client.user, client));
  const state: McxState = {
    sessions: () => sessions.states(),
    clients: () => clients.users(),
    totals: () => ({ ...sessions.totals(), ...counts }),
  };
  const admin = createMcxAdminServer({
    state,
    ready: async () => void keys.current(),
    log,
    random,
    ...(options.adminToken !== undefined && { token: options.adminToken }),
  });
  const endpoint = createSipEndpoint({
    transports,
    clock,
    random,
    user: "mcx",
    log: (event, details) => log.debug(details, event),
    ...(config.sip.outboundProxy !== undefined && { outboundProxy: config.sip.outboundProxy }),
  });
  const context: SignallingContext = {
    config,
    endpoint,
    keys: () => keys.current(),
    tokens,
    directory,
    clients,
    sessions,
    seen: new MemoryReceiverState({ maxKeys: MAX_SEEN, maxMessages: MAX_SEEN }),
    clock,
    now,
    random,
    log,
    count: (event) => {
      counts[event] = (counts[event] ?? 0) + 1;
    },
  };

  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= stop();
    return closing;
  };
  async function stop(): Promise<void> {
    await stopServer(admin, limits.stopTimeout * 1000);
    directory.stop();
    await sessions.close();
    await endpoint.close();
    await given?.close();
    clients.close();
    musik?.destroy();
  }

  return {
    state,
    close,
    async listen() {
      try {
        await admin.listen(config.admin);
        serveSignalling({ ...context, musik });
        given?.start();
        directory.start();
        await endpoint.start();
      } catch (error) {
        await close();
        throw error;
      }
      const adminUrl = urlOf(admin, "http", config.admin.host);
      const sip = addressesOf(transports);
      log.info({ adminUrl, ...sip, mcxUri }, "listening");
      return { adminUrl, sip };
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
  { tokens, developmentIssuer }: McxOptions,
  log: ServerLog,
): TokenVerifier {
  if (tokens !== undefined) return tokens;
  if (config.tokens !== undefined) return createTokenVerifier(config.tokens);
  if (developmentIssuer === undefined) throw refusedConfig("tokens: name an issuer of access tokens");
  if (!isLoopback(config.sip.host)) {
    throw refusedConfig("sip.host: development tokens are for loopback addresses only");
  }
  log.warn({}, "DEVELOPMENT TOKENS: whoever asks speaks as any member. Not for real users.");
  return developmentIssuer.verifier(config.mcxUri);
}

async function credentialsOf(
  { tls, sip }: McxConfig,
  given: Credentials | undefined,
): Promise<Credentials | undefined> {
  const credentials = given ?? (tls && (await readCredentials(tls)));
  if (credentials === undefined && (sip.tlsPort !== undefined || sip.wssPort !== undefined)) {
    throw refusedConfig("tls: needed for sip.tlsPort and sip.wssPort");
  }
  return credentials;
}

/** CSKs of some minutes: many times all clients. */
const MAX_SEEN = 1_000_000;
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
