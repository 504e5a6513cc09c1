/** The ways in which a server of a data folder proves itself to the KMS that keys it. */
import { fromUtf8, wipe } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import type { TransportKeys } from "../../roles/identity/index.ts";
import type { KmsConfig, ServerIdentity } from "../../roles/kms/common/config.ts";
import type { Provisioning } from "../../roles/server/provisioning-config.ts";
import { readTransportKeys } from "../files/named-key.ts";
import { developmentToken } from "../server/folder-tokens.ts";
import { readFile } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";
import type { PreparedKms } from "./start.ts";

export interface ServerProvisioning {
  readonly token: () => Promise<string>;
  readonly caFile: string | undefined;
  readonly protection: () => TransportKeys;
  /** Clears TrK and InK. */
  wipe(): void;
}

const MAX_TOKEN = 64 << 10;
/** Seconds. Each request gets its own. */
const TOKEN_LIFETIME = 300;

export interface NeighbourUris {
  readonly gmsUri: string;
  readonly mcxUri: string;
}

/** Servers whose development tokens have their URI as client_id. */
export function reservedServers({ gmsUri, mcxUri }: NeighbourUris): ServerIdentity[] {
  return [
    { uri: gmsUri, kind: "gms", clientId: gmsUri },
    { uri: mcxUri, kind: "mcx-server", clientId: mcxUri },
  ];
}

/**
 * A KMS that gives the keys of its neighbours to nobody else: a token with such an identity as a claim may be any user's,
 * whom the issuer let choose the name (TS 33.180 5.7.1, 5.8.1). Their own tokens have a client_id in its place. An issuer
 * of real tokens has names of its own for them, so there the configuration must say them.
 *
 * @throws MikeySakkeError usage `SERVERS_UNNAMED`
 */
export function reserving(kms: PreparedKms, neighbours: NeighbourUris): PreparedKms {
  const reserve = (config: KmsConfig) => withReserved(config, neighbours);
  return {
    ...kms,
    data: { ...kms.data, config: reserve(kms.data.config) },
    reread: async () => reserve(await kms.reread()),
  };
}

function withReserved(config: KmsConfig, neighbours: NeighbourUris): KmsConfig {
  const reserved = reservedServers(neighbours);
  requireNamed(
    config,
    reserved.map(({ uri }) => uri),
  );
  return { ...config, servers: [...config.servers, ...unnamed(config, reserved)] };
}

/** @throws {MikeySakkeError} usage `SERVERS_UNNAMED`: an issuer of real tokens has names of its own for these servers */
export function requireNamed(config: KmsConfig, uris: readonly string[]): void {
  const missing = unnamed(
    config,
    uris.map((uri) => ({ uri })),
  );
  if (missing.length === 0 || config.tokens === undefined) return;
  const names = missing.map(({ uri }) => uri).join(" and ");
  const text = `servers: name ${names} with the clientId or scope of their tokens, or any user may claim to be them`;
  throw usageError("SERVERS_UNNAMED", text);
}

function unnamed<T extends { readonly uri: string }>({ servers }: KmsConfig, all: readonly T[]): T[] {
  return all.filter(({ uri }) => servers.every((server) => server.uri !== uri));
}

/** Towards the KMS of the same process, unless the configuration says otherwise. */
export function localProvisioning(
  { provisioning = {} }: { readonly provisioning?: Provisioning | undefined },
  { data, credentials }: PreparedKms,
  uri: string,
): Provisioning {
  const { tokenFile, developmentFolder, caFile } = provisioning;
  const hasToken = tokenFile !== undefined || developmentFolder !== undefined;
  const { clientId } = data.config.servers.find((server) => server.uri === uri) ?? {};
  return {
    ...defined({ clientId }),
    ...provisioning,
    ...(!hasToken && data.config.tokens === undefined && { developmentFolder: data.folder }),
    ...(caFile === undefined && credentials?.selfSigned && { caFile: credentials.certFile }),
  };
}

/** `server`: its name in the configuration. Usage error NO_TOKEN. */
export function requireWayToKms(
  { provisioning = {} }: { readonly provisioning?: Provisioning | undefined },
  server: string,
): void {
  const { tokenFile, developmentFolder } = provisioning;
  if ((tokenFile === undefined) === (developmentFolder === undefined)) {
    throw usageError("NO_TOKEN", `${server}.provisioning: needs either tokenFile or developmentFolder`);
  }
}

export async function provisioningOf(
  userUri: string,
  provisioning: Provisioning = {},
): Promise<ServerProvisioning> {
  const { tokenFile, developmentFolder, clientId, caFile, trkFile, inkFile } = provisioning;
  const token =
    tokenFile === undefined
      ? () =>
          developmentToken(
            { dataDir: developmentFolder! },
            // A token with a user's claims is no server's own.
            { ...(clientId === undefined ? { userUri } : { clientId }), lifetime: TOKEN_LIFETIME },
          )
      : async () => fromUtf8(await readFile(tokenFile, MAX_TOKEN), tokenFile).trim();
  const keys = await readTransportKeys({ trk: trkFile, ink: inkFile });
  return {
    token,
    caFile,
    protection: () => keys,
    wipe: () => {
      for (const named of [keys.trk, keys.ink]) if (named !== undefined) wipe(named.key);
    },
  };
}
