/** A whole KMS out of its parts: issuer, service, listeners, operations. */

import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import type { Core } from "../../bindings/core/core.ts";
import type { KmsPool } from "../../bindings/pool/kms.ts";
import { KmsSchema } from "../../documents/kms-xml/schema/validate-node.ts";
import type { Envelope, KmsStore } from "../../store/index.ts";
import type { Admission } from "../../transport/admission/admission.ts";
import { systemClock } from "../../transport/sip/index.ts";
import { createAdmission } from "../server/admission.ts";
import { purgeAudit } from "../server/audit-retention.ts";
import { DatabaseClock } from "../server/database-clock.ts";
import { DEVELOPMENT_TOKENS_WARNING, type DevelopmentIssuer } from "../server/development-tokens.ts";
import { type IssuerKeyStore, MemoryIssuerKeys } from "../server/issuer-keys.ts";
import { IssuerStates } from "../server/issuer-metrics.ts";
import { type Credentials, readCredentials, stopServer, urlOf } from "../server/listener.ts";
import { noLog, type ServerLog } from "../server/log.ts";
import { isLoopback } from "../server/loopback.ts";
import { onceIn } from "../server/once-in.ts";
import { type Reconfiguration, ReplaceableVerifier, reconfiguration } from "../server/reconfigure.ts";
import { RefusedLog } from "../server/refused-log.ts";
import { createTokenVerifier, type TokenVerifier } from "../server/tokens.ts";
import type { KmsAdmin } from "./admin/admin.ts";
import { createKmsAdmin } from "./admin/operations.ts";
import { createKmsAdminServer } from "./admin/server.ts";
import {
  KMS_RELOADABLE,
  type KmsConfig,
  type KmsConfigInput,
  kmsConfigSchema,
  parseKmsConfig,
} from "./common/config.ts";
import type { KmsMetrics } from "./common/metrics.ts";
import { createPrometheusMetrics } from "./common/metrics-prom.ts";
import { periodEnd } from "./common/periods.ts";
import { createKmsServer } from "./http/server.ts";
import { createKmsService, type KmsService } from "./http/service.ts";
import { createKeyIssuer, type KeyIssuer, makeKms } from "./issue/index.ts";

export interface KmsOptions {
  readonly config: KmsConfigInput;
  /** Stays the caller's, as do core, pool and envelope. */
  readonly store: KmsStore;
  readonly core: Core;
  /** Issues keys on worker threads. */
  readonly pool?: KmsPool;
  /** For `rotateStoreKey`. */
  readonly envelope?: Envelope;
  /** PEM texts, in place of the files that the configuration names. */
  readonly credentials?: Credentials;
  /** In place of what the configuration says of tokens. */
  readonly tokens?: TokenVerifier;
  /** Needed when the configuration says nothing of tokens and `tokens` is not given. */
  readonly developmentIssuer?: DevelopmentIssuer;
  /**
   * Whether a store without a master gets one. False where the KMS was made before, so that the store must be another.
   */
  readonly mayMake?: boolean;
  /** For the admin API; without it there is none. */
  readonly adminToken?: string;
  /** Gets the keys of the token issuer. */
  readonly fetch?: typeof fetch;
  /** Keeps the last known keys of the token issuer; for the life of this KMS when absent. */
  readonly issuerKeys?: IssuerKeyStore;
  /** The host's clock, in milliseconds since the Unix epoch; the system's when absent. */
  readonly now?: () => number;
  readonly random?: RandomSource;
  readonly log?: ServerLog;
  /** Counters; those of Prometheus, at /metrics of the admin listener, when absent. */
  readonly metrics?: KmsMetrics;
  /** Shared with the other servers of the process; its own, by its configuration, when absent. */
  readonly admission?: Admission;
}

export interface Kms {
  readonly service: KmsService;
  readonly issuer: KeyIssuer;
  readonly admin: KmsAdmin;
  /** Opens both listeners; the URLs under which they answer. */
  listen(): Promise<{ readonly url: string; readonly adminUrl: string }>;
  /**
   * Returns what another configuration would change, which nothing does before `apply`.
   *
   * @throws {MikeySakkeError} usage `BAD_CONFIG`
   */
  reconfigure(config: KmsConfigInput): Promise<Reconfiguration>;
  /** Answers what is under way, closes the listeners, clears the master secrets. */
  close(): Promise<void>;
}

/** Milliseconds between two readings of the database's clock. */
const CLOCK_EVERY = 5000;
/** However often health is asked for, the store is written to once in so many milliseconds. */
const ASKED_EVERY = 1000;

/**
 * Makes the first master key and certificate if the store has none, and logs it.
 *
 * @throws {MikeySakkeError} usage `BAD_CONFIG`; `OTHER_KMS` where the store is another KMS's; `KMS_MISSING` where it is
 *   nobody's and `mayMake` is false; `SETTING_FIXED` where the configuration has a period that the KMS was not made with
 */
export async function createKms(options: KmsOptions): Promise<Kms> {
  const config = parseKmsConfig(options.config);
  const { store, core, pool, envelope, random = systemRandom, log = noLog } = options;
  const clock = new DatabaseClock({
    read: () => store.now(),
    host: options.now ?? Date.now,
    ...defined({ steady: options.now }),
    tolerance: config.limits.clockDifference * 1000,
    log,
  });
  await clock.measure();
  const { now } = clock;
  const issuerKeys = options.issuerKeys ?? new MemoryIssuerKeys();
  const issuers = new IssuerStates();
  const access = { ...options, issuerKeys, issuers };
  const tokens = new ReplaceableVerifier((of: KmsConfig) => tokenVerifier(of, access), config);
  const credentials = options.credentials ?? (config.tls && (await readCredentials(config.tls)));
  requireTls(config, credentials !== undefined);
  await requireMaster(store, config, { core, random, now: now(), log, mayMake: options.mayMake ?? true });

  const issuer = await createKeyIssuer({ store, core, now, ...defined({ pool }) });
  let loaded = config.policy.strictSchema ? await KmsSchema.load() : undefined;
  const schema: Pick<KmsSchema, "validate"> = { validate: (...given) => loaded!.validate(...given) };
  const prometheus = options.metrics === undefined ? createPrometheusMetrics() : undefined;
  const metrics = options.metrics ?? prometheus!;
  const refused = new RefusedLog(log, systemClock);
  const deps = { config, store, issuer, tokens, now, random, log, refused, metrics, schema };
  const service = createKmsService(deps);
  const maker = async () => ({ core, issuer });
  const admin = createKmsAdmin({ store, maker, now, random, ...defined({ envelope }) });
  const guard = { admission: options.admission ?? createAdmission(config.limits, log), refused };
  const server = createKmsServer({ config, service, random, guard, ...defined({ credentials }) });
  const measure = async () => {
    await clock.measure();
    metrics.clock(clock.ahead / 1000);
  };
  const requireStore = onceIn(ASKED_EVERY, async () => {
    await store.ready();
    await measure();
  });
  const adminServer = createKmsAdminServer({
    admin,
    snapshot: (write) => store.snapshot(write),
    log,
    random,
    guard,
    issuers,
    credentials,
    keyEnds: { period: () => periodEnd(config, now()) },
    pool: () => store.pool(),
    ready: async () => {
      clock.requireRight();
      await requireStore();
      clock.requireRight();
      issuer.currentCertificate(now());
    },
    ...defined({ token: options.adminToken, metrics: prometheus }),
  });

  let purging: ReturnType<typeof setInterval> | undefined;
  let purge: Promise<unknown> = Promise.resolve();
  /** Audit entries that are too old go from time to time, a few at a time. */
  function purgeOld(): void {
    purge = purgeAudit(store, config.policy, now()).catch((error: unknown) => {
      log.error({ detail: String(error) }, "old audit entries were not deleted");
    });
  }

  let closing: Promise<void> | undefined;
  let measuring: NodeJS.Timeout | undefined;
  const close = () => (closing ??= stop());
  async function stop(): Promise<void> {
    clearInterval(measuring);
    const milliseconds = config.limits.stopTimeout * 1000;
    clearInterval(purging);
    await Promise.all([stopServer(server, milliseconds), stopServer(adminServer, milliseconds), purge]);
    await issuer.destroy();
    loaded?.dispose();
  }

  return {
    service,
    issuer,
    admin,
    async listen() {
      try {
        await server.listen(config.listen);
        await adminServer.listen(config.admin);
      } catch (error) {
        await close();
        throw error;
      }
      purgeOld();
      purging = setInterval(purgeOld, PURGE_MS);
      purging.unref();
      // Without an answer it goes on by what it knew; health tells.
      measuring = setInterval(() => void measure().catch(() => undefined), CLOCK_EVERY).unref();
      const url = urlOf(server, credentials === undefined ? "http" : "https", config.listen.host);
      const adminUrl = urlOf(adminServer, "http", config.admin.host);
      log.info({ url, adminUrl, kmsUri: config.kmsUri }, "listening");
      return { url, adminUrl };
    },
    async reconfigure(input) {
      const next = parseKmsConfig(input);
      if (next.policy.strictSchema) loaded ??= await KmsSchema.load();
      return reconfiguration({ schema: kmsConfigSchema, reloadable: KMS_RELOADABLE, config, tokens }, next);
    },
    close,
  };
}

const PURGE_MS = 600_000;

function tokenVerifier(
  config: KmsConfig,
  options: KmsOptions & { readonly issuers: IssuerStates },
): TokenVerifier {
  const { tokens, developmentIssuer, fetch, issuerKeys, issuers, log = noLog } = options;
  if (tokens !== undefined) return tokens;
  if (config.tokens !== undefined) {
    return createTokenVerifier(config.tokens, defined({ fetch, issuerKeys, issuers, log }));
  }
  if (developmentIssuer === undefined) {
    throw new MikeySakkeError(
      "usage",
      "BAD_CONFIG",
      "KMS configuration: tokens: name an issuer of access tokens",
    );
  }
  if (!isLoopback(config.listen.host)) {
    const text = "KMS configuration: listen.host: development tokens are for loopback addresses only";
    throw new MikeySakkeError("usage", "BAD_CONFIG", text);
  }
  log.warn({}, `DEVELOPMENT TOKENS: ${DEVELOPMENT_TOKENS_WARNING}`);
  return developmentIssuer.verifier(config.kmsUri);
}

/** D.1: HTTPS always. A proxy on the same machine may end it. */
function requireTls({ listen }: KmsConfig, present: boolean): void {
  if (present || isLoopback(listen.host)) return;
  throw new MikeySakkeError(
    "usage",
    "BAD_CONFIG",
    "KMS configuration: tls: needed except on a loopback address",
  );
}

async function requireMaster(
  store: KmsStore,
  config: KmsConfig,
  {
    log,
    mayMake,
    ...make
  }: { core: Core; random: RandomSource; now: number; log: ServerLog; mayMake: boolean },
): Promise<void> {
  const { kmsUri, userKeyPeriod, userKeyOffset, domains, issuer } = config;
  if ((await store.masters()).length === 0) {
    if (!mayMake) {
      const text = `the database has no KMS, though ${kmsUri} was made before: it is another database, or one not yet restored`;
      throw new MikeySakkeError("usage", "KMS_MISSING", text);
    }
    const facts = { kmsUri, userKeyPeriod, userKeyOffset, ...defined({ issuer }) };
    const made = await makeKms(store, {
      ...make,
      ...facts,
      ...(domains.length > 0 && { kmsDomains: domains }),
    }).catch((error) => {
      // Another process was faster.
      if (!(error instanceof MikeySakkeError) || error.code !== "MASTER_EXISTS") throw error;
      return undefined;
    });
    if (made)
      log.warn(
        { kmsUri, certUri: made.certificate.certUri },
        "made a new KMS: no keys issued before are valid",
      );
  }
  const present = (await store.masters())[0]?.certificate;
  if (present?.kmsUri !== kmsUri) {
    throw new MikeySakkeError(
      "usage",
      "OTHER_KMS",
      `the store is that of ${present?.kmsUri}, not of ${kmsUri}`,
    );
  }
  // P3 and P4 of F.2.1 are in every UID: a KMS keeps those that it was made with.
  for (const key of ["userKeyPeriod", "userKeyOffset"] as const) {
    if (present[key] === config[key]) continue;
    const text = `KMS configuration: ${key}: the KMS was made with ${present[key]}, and cannot change to ${config[key]}`;
    throw new MikeySakkeError("usage", "SETTING_FIXED", text);
  }
}
