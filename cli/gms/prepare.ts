/** The settings made before the GMS of a data folder starts: where it listens, its KMS, its certificate. */
import { availableParallelism } from "node:os";
import { defined } from "../../base/defined.ts";
import type { GmsConfigInput } from "../../roles/gms/common/config.ts";
import { isLoopback } from "../../roles/server/loopback.ts";
import type { FolderOptions } from "../server/data-folder.ts";
import { requireIssuerCa } from "../server/https.ts";
import { type ListenOptions, lasting, listenOf, portAfter } from "../server/listen-options.ts";
import { makeStoreKey } from "../server/make-folder.ts";
import { credentialsOf, requireFitToServe } from "../server/tls.ts";
import type { Output } from "../terminal/output.ts";
import { usageError } from "../terminal/usage.ts";
import { type GmsFolder, openGmsFolder } from "./gms-folder.ts";
import type { PreparedGms } from "./start.ts";

export interface GmsServeOptions extends FolderOptions, ListenOptions {
  /** UDP and TCP; the next ones are for TLS, WebSocket and secure WebSocket. */
  readonly sipPort?: number;
  /** Plain HTTP, on loopback, for a proxy there. */
  readonly http?: boolean;
}

/** URI of a GMS whose configuration names none. */
const DEFAULT_GMS_URI = "sip:gms@gms.localhost";
const SIP_PORT = 5060;
const MOST_WORKERS = 4;

/** The configuration of a GMS at the first start, which listens where that start was asked to. */
export function firstGmsConfig(
  options: Pick<GmsServeOptions, keyof ListenOptions | "sipPort">,
  given: { readonly gmsUri?: string } & Partial<GmsConfigInput>,
): Partial<GmsConfigInput> & { readonly gmsUri: string } {
  const { host, sipPort = SIP_PORT, ...others } = lasting(options);
  return {
    gmsUri: DEFAULT_GMS_URI,
    ...listenOf({ ...defined({ host }), ...others }),
    sip: { ...defined({ host }), ...sipPorts(sipPort) },
    workers: Math.min(MOST_WORKERS, Math.max(1, availableParallelism() - 1)),
    ...given,
  };
}

/** Checks all that can be checked before anything is opened. `kms`: what is known of a KMS in this process. */
export async function prepareGms(
  options: GmsServeOptions,
  output: Output,
  kms: Partial<GmsConfigInput> = {},
): Promise<PreparedGms> {
  const ports = options.sipPort === undefined ? undefined : sipPorts(options.sipPort);
  const read = async () => {
    const opened = await openGmsFolder(options, (given) => ({
      ...kms,
      ...overridesOf(options, given, ports),
    }));
    requireSafe(opened);
    await requireIssuerCa("gms.tokens", opened.config.tokens);
    return opened;
  };
  const data = await read();
  await makeStoreKey(options.dataDir, data.files, output);
  const credentials = options.http ? undefined : await credentialsOf(data, Date.now());
  return { data, credentials, reread: async () => (await read()).config };
}

function requireSafe({ config }: GmsFolder): void {
  requireFitToServe(config);
  const { sip, tokens } = config;
  if (sip === undefined || tokens !== undefined || isLoopback(sip.host)) return;
  throw usageError("TOKENS_NEEDED", `SIP on ${sip.host} takes an issuer of access tokens: gms.tokens`);
}

function overridesOf(
  options: GmsServeOptions,
  given: Partial<GmsConfigInput>,
  ports: ReturnType<typeof sipPorts> | undefined,
): Partial<GmsConfigInput> {
  const { host, http } = options;
  const sip = { ...given.sip, ...defined({ host }), ...ports };
  return {
    ...listenOf(options, given),
    ...((given.sip !== undefined || ports !== undefined) && { sip }),
    ...(http && { tls: undefined }),
  };
}

/** UDP and TCP have one number, so that either is found by what is known of the other. */
function sipPorts(first: number) {
  const next = (n: number) => portAfter(first, n);
  return { udpPort: first, tcpPort: first, tlsPort: next(1), wsPort: next(2), wssPort: next(3) };
}
