/** A whole KMS out of its parts: issuer, service, servers, operations. */
import type { Core } from "../../bindings/core.ts";
import type { KmsPool } from "../../bindings/pool/kms.ts";
import type { RandomSource } from "../../bindings/random.ts";
import type { Envelope, KmsStore } from "../../store/index.ts";
import type { KmsAdmin } from "./admin/admin.ts";
import type { KmsConfigInput } from "./config.ts";
import type { DevelopmentIssuer } from "./development-tokens.ts";
import type { KeyIssuer } from "./issue/key-issuer.ts";
import type { KmsLog } from "./log.ts";
import type { KmsMetrics } from "./metrics.ts";
import type { KmsService } from "./service.ts";
import type { TokenVerifier } from "./tokens.ts";

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
  readonly credentials?: { readonly cert: string; readonly key: string };
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
  readonly log?: KmsLog;
  /** Counters; those of Prometheus when absent. */
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

/** Makes the first master key and certificate if the store has none. */
export declare function createKms(options: KmsOptions): Promise<Kms>;
