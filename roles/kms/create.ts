/** A whole KMS out of its parts: issuer, service, listeners, operations. */
import type { Core } from "../../bindings/core.ts";
import { MikeySakkeError } from "../../bindings/errors.ts";
import type { KmsPool } from "../../bindings/pool/kms.ts";
import { type RandomSource, systemRandom } from "../../bindings/random.ts";
import type { Envelope, KmsStore } from "../../store/index.ts";
import { KmsSchema } from "../../transport/kms-xml/schema/validate-node.ts";
import type { DevelopmentIssuer } from "../server/development-tokens.ts";
import { type Credentials, readCredentials, stopServer, urlOf } from "../server/listener.ts";
import { noLog, type ServerLog } from "../server/log.ts";
import { isLoopback } from "../server/loopback.ts";
import { createTokenVerifier, type TokenVerifier } from "../server/tokens.ts";
import type { KmsAdmin } from "./admin/admin.ts";
import { createAdmin } from "./admin/operations.ts";
import { createAdminServer } from "./admin-server.ts";
import { type KmsConfig, type KmsConfigInput, parseKmsConfig } from "./config.ts";
import { createKeyIssuer, type KeyIssuer, makeKms } from "./issue/index.ts";
import type { KmsMetrics } from "./metrics.ts";
import { createPrometheusMetrics } from "./metrics-prom.ts";
import { createKmsServer } from "./server.ts";
import { createKmsService, type KmsService } from "./service.ts";

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
  /** For the admin API; without it there is none. */
  readonly adminToken?: string;
  /** Gets the keys of the token issuer. */
  readonly fetch?: typeof fetch;
  /** Milliseconds since the Unix epoch. */
  readonly now?: () => number;
  readonly random?: RandomSource;
  readonly log?: ServerLog;
  /** Counters; those of Prometheus, at /metrics of the admin listener, when absent. */
  readonly metrics?: KmsMetrics;
}

export interface Kms {
  readonly service: KmsService;
  readonly issuer: KeyIssuer;
  readonly admin: KmsAdmin;
  /** Opens both listeners; the URLs under which they answer. */
  listen(): Promise<{ readonly url: string; readonly adminUrl: string }>;
  /** Answers what is under way, closes the listeners, clears the master secrets. */
  close(): Promise<void>;
}

/**
 * Makes the first master key and certificate if the store has none.
 *
 * @throws {MikeySakkeError} usage `BAD_CONFIG`, `OTHER_KMS` where the store is another KMS's
 */
export async function createKms(options: KmsOptions): Promise<Kms> {
  const config = parseKmsConfig(options.config);
  const { store, core, pool, envelope, now = Date.now, random = systemRandom, log = noLog } = options;
  const tokens = options.tokens ?? tokenVerifier(config, options);
  const credentials = options.credentials ?? (config.tls && (await readCredentials(config.tls)));
  requireTls(config, credentials !== undefined);
  await requireMaster(store, config, { core, random, now: now() });

  const issuer = await createKeyIssuer({ store, core, now, ...(pool && { pool }) });
  const schema = config.policy.strictSchema ? await KmsSchema.load() : undefined;
  const prometheus = options.metrics === undefined ? createPrometheusMetrics() : undefined;
  const metrics = options.metrics ?? prometheus!;
  const deps = { config, store, issuer, tokens, now, random, log, metrics, ...(schema && { schema }) };
  const service = createKmsService(deps);
  const maker = async () => ({ core, issuer });
  const admin = createAdmin({ store, maker, now, random, ...(envelope && { envelope }) });
  const server = createKmsServer({ config, service, random, ...(credentials && { credentials }) });
  const adminServer = createAdminServer({
    admin,
    log,
    random,
    ready: async () => {
      await store.ready();
      issuer.currentCertificate(now());
    },
    ...(options.adminToken !== undefined && { token: options.adminToken }),
    ...(prometheus && { metrics: prometheus }),
  });

  let closing: Promise<void> | undefined;
  const close = () => (closing ??= stop());
  async function stop(): Promise<void> {
    const milliseconds = config.limits.stopTimeout * 1000;
    await Promise.all([stopServer(server, milliseconds), stopServer(adminServer, milliseconds)]);
    await issuer.destroy();
    schema?.dispose();
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
      const url = urlOf(server, credentials === undefined ? "http" : "https", config.listen.host);
      const adminUrl = urlOf(adminServer, "http", config.admin.host);
      log.info({ url, adminUrl, kmsUri: config.kmsUri }, "listening");
      return { url, adminUrl };
    },
    close,
  };
}

function tokenVerifier(config: KmsConfig, options: KmsOptions): TokenVerifier {
  const { developmentIssuer, fetch: fetchKeys, log = noLog } = options;
  if (config.tokens !== undefined) {
    return createTokenVerifier(config.tokens, fetchKeys === undefined ? {} : { fetch: fetchKeys });
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
  log.warn({}, "DEVELOPMENT TOKENS: whoever asks gets the keys of any identity. Not for real users.");
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
  make: { core: Core; random: RandomSource; now: number },
): Promise<void> {
  const { kmsUri, userKeyPeriod, userKeyOffset, domains, issuer } = config;
  if ((await store.masters()).length === 0) {
    const facts = { kmsUri, userKeyPeriod, userKeyOffset, ...(issuer !== undefined && { issuer }) };
    await makeKms(store, { ...make, ...facts, ...(domains.length > 0 && { kmsDomains: domains }) }).catch(
      (error) => {
        // Another process was faster.
        if (!(error instanceof MikeySakkeError) || error.code !== "MASTER_EXISTS") throw error;
      },
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
}
