/** How a server of a data folder proves itself to the KMS that keys it. */
import { fromUtf8, wipe } from "../../bindings/bytes.ts";
import type { TransportKeys } from "../../roles/client/index.ts";
import type { Provisioning } from "../../roles/server/provisioning-config.ts";
import { readFile } from "../files.ts";
import { readNamedKey } from "../named-key.ts";
import { usageError } from "../usage.ts";
import { developmentToken } from "./development-tokens.ts";
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

/** Towards the KMS of the same process, unless the configuration says otherwise. */
export function localProvisioning(
  { provisioning = {} }: { readonly provisioning?: Provisioning | undefined },
  { data, credentials }: PreparedKms,
): Provisioning {
  const { tokenFile, developmentFolder, caFile } = provisioning;
  const hasToken = tokenFile !== undefined || developmentFolder !== undefined;
  return {
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
            { userUri, lifetime: TOKEN_LIFETIME, ...(clientId !== undefined && { clientId }) },
          )
      : async () => fromUtf8(await readFile(tokenFile, MAX_TOKEN), tokenFile).trim();
  const keys: TransportKeys = {
    ...(trkFile !== undefined && { trk: await readNamedKey(trkFile, "TrK") }),
    ...(inkFile !== undefined && { ink: await readNamedKey(inkFile, "InK") }),
  };
  return {
    token,
    caFile,
    protection: () => keys,
    wipe: () => {
      for (const named of [keys.trk, keys.ink]) if (named !== undefined) wipe(named.key);
    },
  };
}
