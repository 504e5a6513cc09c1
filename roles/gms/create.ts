/** A whole GMS out of its parts: operations, sealing, schedule, SIP, XCAP and admin listeners. */
import { toHex } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import type { Core } from "../../bindings/core/core.ts";
import type { Pool } from "../../bindings/pool/index.ts";
import type { GmsStore } from "../../store/gms/gms-store.ts";
import type { Admission } from "../../transport/admission/admission.ts";
import {
  createSipEndpoint,
  type SipEndpoint,
  type SipTransport,
  systemClock,
} from "../../transport/sip/index.ts";
import { createAdmission } from "../server/admission.ts";
import { MemoryIssuerKeys } from "../server/issuer-keys.ts";
import { IssuerStates } from "../server/issuer-metrics.ts";
import { keyEndsOf } from "../server/key-metrics.ts";
import { stopServer, urlOf } from "../server/listener.ts";
import { warnOfPlainSip } from "../server/plain-sip.ts";
import { type ProcessRecord, ProcessReports } from "../server/process-reports.ts";
import { type Reconfiguration, ReplaceableVerifier, reconfiguration } from "../server/reconfigure.ts";
import { RefusedLog, sipLog } from "../server/refused-log.ts";
import { addressesOf, type SipAddresses, sipLimits, sipTransports } from "../server/sip-transports.ts";
import { Targets } from "../server/targets.ts";
import { loadTracing } from "../server/tracing.ts";
import { type AccessOptions, serverCredentials, tokenVerifier } from "./access.ts";
import { createGmsAdminServer } from "./admin/server.ts";
import {
  GMS_RELOADABLE,
  type GmsConfig,
  type GmsConfigInput,
  gmsConfigSchema,
  parseGmsConfig,
} from "./common/config.ts";
import { refusedConfig } from "./common/errors.ts";
import { type GmsLog, noLog } from "./common/log.ts";
import type { GmsMetrics } from "./common/metrics.ts";
import { createPrometheusMetrics } from "./common/metrics-prom.ts";
import type { GmsAdmin, GmsContext, GmsKeys } from "./common/ports.ts";
import { createCore } from "./context.ts";
import { createXcapServer } from "./http/server.ts";
import { readiness } from "./readiness.ts";
import { createSipDelivery, type SipDelivery } from "./sip/index.ts";

export interface GmsOptions extends AccessOptions {
  readonly config: GmsConfigInput;
  /** Stays the caller's, as do pool, core and keys. */
  readonly store: GmsStore;
  /** Seals on worker threads. */
  readonly pool?: Pool;
  /** The core of the keys and, if there is one, of the pool. */
  readonly core: Core;
  /** See `provisionGms`. */
  readonly keys: GmsKeys;
  /** For the admin API; without it only managers of groups may use it. */
  readonly adminToken?: string;
  /** The host's clock, in milliseconds since the Unix epoch; the system's when absent. */
  readonly now?: () => number;
  readonly random?: RandomSource;
  readonly log?: GmsLog;
  /** Counters; those of Prometheus, at /metrics of the admin listener, when absent. */
  readonly metrics?: GmsMetrics;
  /** Name of the process among those on one database, the same at its next start; drawn at random when absent. */
  readonly instance?: string;
  /** In place of the sockets that the configuration asks for. */
  readonly sip?: { readonly transports: readonly SipTransport[] };
  /** Shared with the other servers of the process; its own, by its configuration, when absent. */
  readonly admission?: Admission;
}

export interface GmsAddresses {
  /** The XCAP root, without a slash at the end. */
  readonly xcapUrl: string;
  readonly adminUrl: string;
  readonly sip: SipAddresses;
}

export interface Gms {
  readonly context: GmsContext;
  readonly admin: GmsAdmin;
  /** Processes of this GMS that live, as they reported themselves last. Rejects as the store. */
  processes(): Promise<readonly ProcessRecord[]>;
  /** Opens the listeners and begins to seal, deliver and do what is due. */
  listen(): Promise<GmsAddresses>;
  /**
   * Returns what another configuration would change, which nothing does before `apply`.
   *
   * @throws {MikeySakkeError} usage `BAD_CONFIG`
   */
  reconfigure(config: GmsConfigInput): Promise<Reconfiguration>;
  /** Finishes what is at work and closes the listeners. */
  close(): Promise<void>;
}

const INSTANCE_BYTES = 8;

/**
 * @throws {MikeySakkeError} usage `BAD_CONFIG`, `OTHER_CORE`; `SETTING_FIXED` where the database has messages of another
 * GMS URI
 */
export async function createGms(options: GmsOptions): Promise<Gms> {
  const config = parseGmsConfig(options.config);
  const { store, pool, keys, now, random = systemRandom, log = noLog } = options;
  requireIdentity(config, keys);
  await requireSameUri(config, store);
  if (keys.core !== options.core || (pool !== undefined && pool.core !== options.core)) {
    throw new MikeySakkeError("usage", "OTHER_CORE", "keys and pool must be on the core that is given");
  }
  const issuerKeys = options.issuerKeys ?? new MemoryIssuerKeys();
  const issuers = new IssuerStates();
  const access = { ...options, issuerKeys, issuers };
  const tokens = new ReplaceableVerifier((of: GmsConfig) => tokenVerifier(of, access, log), config);
  const credentials = await serverCredentials(config, options.credentials);
  const prometheus = options.metrics === undefined ? createPrometheusMetrics() : undefined;
  const metrics = options.metrics ?? prometheus!;
  const instance = options.instance ?? `gms-${toHex(random(INSTANCE_BYTES))}`;
  const core = createCore({
    config,
    store,
    keys,
    instance,
    ...defined({ now }),
    random,
    log,
    metrics,
    ...defined({ pool }),
    tracing: await loadTracing(random),
  });
  const { context } = core;
  const admission = options.admission ?? createAdmission(config.limits, log);
  const guard = { admission, refused: new RefusedLog(log, systemClock) };
  const xcapServer = createXcapServer({ context, tokens, guard, ...defined({ credentials }) });
  const ready = readiness(context);
  const reports = new ProcessReports({
    server: "gms",
    name: instance,
    store: store.processes,
    ready,
    timer: systemClock,
    now: now ?? Date.now,
  });
  const adminServer = createGmsAdminServer({
    context,
    tokens,
    guard,
    ready,
    issuers,
    credentials,
    keyEnds: keyEndsOf(() => keys.current(), context.now),
    ...defined({ token: options.adminToken, metrics: prometheus }),
  });
  const limits = sipLimits(config.limits);
  const { requestTimeout } = config.limits;
  const sockets = { credentials, limits, admission, requestTimeout };
  const transports =
    options.sip?.transports ?? (config.sip === undefined ? [] : sipTransports(config.sip, sockets));
  let endpoint: SipEndpoint | undefined;
  let delivery: SipDelivery | undefined;

  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= stop();
    return closing;
  };
  async function stop(): Promise<void> {
    const milliseconds = config.limits.stopTimeout * 1000;
    const reported = reports.close();
    await Promise.all([
      stopServer(xcapServer, milliseconds),
      stopServer(adminServer, milliseconds),
      delivery?.close(milliseconds),
    ]);
    await endpoint?.close();
    await core.stop();
    await reported;
  }

  async function open(): Promise<GmsAddresses> {
    await xcapServer.listen(config.listen);
    await adminServer.listen(config.admin);
    const scheme = credentials === undefined ? "http" : "https";
    const xcapUrl = `${urlOf(xcapServer, scheme, config.listen.host)}${config.xcapPath}`;
    const adminUrl = urlOf(adminServer, "http", config.admin.host);
    if (config.sip !== undefined) warnOfPlainSip(config.sip, log);
    if (transports.length > 0) {
      endpoint = createSipEndpoint({
        transports,
        clock: systemClock,
        random,
        user: "gms",
        ...(config.sip && { targets: new Targets(config.sip) }),
        log: sipLog(log, guard.refused),
        limits,
        admission,
        ...defined({ outboundProxy: config.sip?.outboundProxy }),
      });
      const xcapRoot = config.urls[0] === undefined ? xcapUrl : `${config.urls[0]}${config.xcapPath}`;
      delivery = createSipDelivery(context, { endpoint, tokens, xcapRoot });
      delivery.start();
      await endpoint.start();
    }
    await core.start();
    reports.start();
    const sip = addressesOf(transports);
    log.info({ xcapUrl, adminUrl, ...sip, gmsUri: config.gmsUri, instance }, "listening");
    return { xcapUrl, adminUrl, sip };
  }

  return {
    context,
    admin: context.admin,
    processes: () => reports.list(),
    async listen() {
      try {
        return await open();
      } catch (error) {
        await close();
        throw error;
      }
    },
    async reconfigure(input) {
      const running = { schema: gmsConfigSchema, reloadable: GMS_RELOADABLE, config, tokens };
      return reconfiguration(running, parseGmsConfig(input));
    },
    close,
  };
}

/** Members trust `gmsUri`: messages in another name would be refused by all of them. */
function requireIdentity({ gmsUri, kmsUri }: GmsConfig, keys: GmsKeys): void {
  const { initiator } = keys.current();
  if (initiator.uri === gmsUri && initiator.kmsUri === kmsUri) return;
  throw refusedConfig(`gmsUri, kmsUri: the keys are those of ${initiator.uri} of KMS ${initiator.kmsUri}`);
}

/** Members know the GMS by its URI, and T of its messages goes on from the last one of that URI. */
async function requireSameUri({ gmsUri }: GmsConfig, store: GmsStore): Promise<void> {
  const known = await store.initiators();
  if (known.length === 0 || known.includes(gmsUri)) return;
  const owner = known.join(" and ");
  const text = `GMS configuration: gmsUri: the database is that of ${owner}, and cannot change to ${gmsUri}`;
  throw new MikeySakkeError("usage", "SETTING_FIXED", text);
}
