/** The KMS as a function from requests to answers, which knows nothing of sockets (TS 33.180 annex D). */
import type { KmsHttpRequest, KmsHttpResponse, KmsServiceDeps } from "./exchange.ts";

export type { KmsHttpRequest, KmsHttpResponse, KmsServiceDeps } from "./exchange.ts";

export interface KmsService {
  /** Answers a POST. Does not throw: whatever goes wrong is a KmsError. */
  handle(request: KmsHttpRequest): Promise<KmsHttpResponse>;
}

export declare function createKmsService(deps: KmsServiceDeps): KmsService;
