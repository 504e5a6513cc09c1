/** One request on its way through the service: what came in, what is known of it, and what the steps work with. */
import type { RandomSource } from "../../../base/random.ts";
import type { KmsRequest } from "../../../documents/kms-xml/index.ts";
import type { KmsSchema } from "../../../documents/kms-xml/schema/validate-node.ts";
import type { KmsStore, TransportKeyRecord } from "../../../store/index.ts";
import type { ServerLog } from "../../server/log.ts";
import type { RefusedLog } from "../../server/refused-log.ts";
import type { TokenFacts, TokenVerifier } from "../../server/tokens.ts";
import type { KeyIssuer } from "../issue/key-issuer.ts";
import type { KmsConfig } from "./config.ts";
import type { KmsMetrics } from "./metrics.ts";
import type { OwnUrls } from "./own-urls.ts";
import type { Target } from "./path.ts";

export interface KmsHttpRequest {
  /** Path as received, not decoded. One with a query is refused, and the query is neither told nor kept. */
  readonly path: string;
  /** Empty when there is none. */
  readonly rawBody: Uint8Array;
  /** The header of that name. */
  readonly authorization?: string | undefined;
  readonly requestId: string;
  /** Address of the client, for the log. */
  readonly remote: string;
}

export interface KmsHttpResponse {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface KmsServiceDeps {
  readonly config: KmsConfig;
  readonly store: KmsStore;
  readonly issuer: KeyIssuer;
  readonly tokens: TokenVerifier;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly random: RandomSource;
  readonly log: ServerLog;
  /** Gets the refusals of requests without a good token; one on `log` when absent. */
  readonly refused?: Pick<RefusedLog, "note">;
  readonly metrics: KmsMetrics;
  /** Needed with `policy.strictSchema`. */
  readonly schema?: Pick<KmsSchema, "validate">;
}

export interface Tools extends KmsServiceDeps {
  readonly urls: OwnUrls;
}

/** A request of which path, token and body have been read. */
export interface Exchange {
  /** When it came in. */
  readonly now: number;
  readonly target: Target;
  readonly token: TokenFacts;
  /** Identities whose keys the token may ask for. */
  readonly permitted: readonly string[];
  /** The requesting user: UserUri, or the user of the path or the token when the body is empty. */
  readonly userUri: string;
  /** The user whose keys are requested, with keyprov. */
  readonly keyUri: string | undefined;
  /** Absent when the body is empty. */
  readonly request?: KmsRequest;
  readonly signedWith?: string;
  readonly signatureValue?: Uint8Array;
  /** TrKs and InKs of `userUri`, the retired ones too. */
  readonly keys: readonly TransportKeyRecord[];
}
