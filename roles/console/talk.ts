/** Calls in the console: the servers and the sign-in of a dispatcher, whose workers take part as an MC user does. */
import { defined } from "../../base/defined.ts";
import type { TalkBackend } from "./backend.ts";
import type { DispatcherConfig } from "./config.ts";
import { policyOf } from "./guard.ts";

/** Below it, requests of users go to the KMS. */
export const TALK_KMS = "/talk/kms";
/** Only these run WebAssembly and connect to the servers. */
const WORKERS = ["/keys-worker.js", "/media-worker.js"];

export interface Talk extends TalkBackend {
  /** The `PageConfig` of the push-to-talk page, whose workers these are. */
  readonly pageConfig: object;
  /** Whether `tokens` may be asked. */
  readonly hasTokens: boolean;
  /** The policies of the workers, by path. */
  readonly policies: ReadonlyMap<string, string>;
}

/** `tokensPath`: of the operation that gives development tokens. Undefined where no dispatcher takes part in calls. */
export function talkOf(
  backend: TalkBackend | undefined,
  dispatcher: DispatcherConfig | undefined,
  tokensPath: string,
): Talk | undefined {
  if (backend === undefined || dispatcher === undefined) return undefined;
  const { kms, gms, mcx } = backend;
  const { developmentTokens: hasTokens, issuer, clientId, scopes, resource } = dispatcher;
  const signIn = hasTokens
    ? { development: tokensPath }
    : { issuer, clientId, ...defined({ scopes, resource }) };
  const others = [gms.sip, mcx.sip, mcx.media, ...(issuer === undefined ? [] : [new URL(issuer).origin])];
  const policy = policyOf(true, {
    script: "'self' 'wasm-unsafe-eval'",
    connect: ["'self'", ...others].join(" "),
  });
  return {
    ...backend,
    pageConfig: { kms: { ...kms, via: TALK_KMS }, gms, mcx, signIn },
    hasTokens,
    policies: new Map(WORKERS.map((path) => [path, policy])),
  };
}
