/** The MCX server of a data folder, started. */
import { randomBytes } from "node:crypto";
import { fromUtf8 } from "../../bindings/bytes.ts";
import { load } from "../../bindings/core.ts";
import { systemRandom } from "../../bindings/random.ts";
import { FileStorage, openStorageKeyFile } from "../../roles/client/file-storage-node.ts";
import { SealedStorage } from "../../roles/client/index.ts";
import { mcxAudience } from "../../roles/mcx-server/config.ts";
import { createMcxServer } from "../../roles/mcx-server/create.ts";
import { provisionMcxServer } from "../../roles/mcx-server/identity.ts";
import type { ServerLog } from "../../roles/server/log.ts";
import { readFile } from "../files.ts";
import { gmsDevelopmentToken } from "../gms/development-tokens.ts";
import { removeAdminFile, writeAdminFile } from "../kms/admin-file.ts";
import { developmentIssuerOf } from "../kms/development-tokens.ts";
import { httpsFetch } from "../kms/https.ts";
import { listenError } from "../kms/listen-error.ts";
import { provisioningOf } from "../kms/server-provisioning.ts";
import type { Credentials } from "../kms/tls.ts";
import type { McxFolder } from "./data-folder.ts";

export interface RunningMcx {
  readonly adminUrl: string;
  /** SIP URIs by transport. */
  readonly sip: Readonly<Record<string, string>>;
}

const MAX_TOKEN = 64 << 10;
/** Seconds. Each request gets its own. */
const TOKEN_LIFETIME = 300;

/** `onClose` takes what ends it, in the order of its making. */
export async function startMcx(
  { folder, config, files }: McxFolder,
  credentials: Credentials | undefined,
  onClose: (close: () => unknown) => void,
  log: ServerLog,
): Promise<RunningMcx> {
  const core = await load();
  onClose(() => core.destroy());
  const { token, caFile, protection, wipe } = await provisioningOf(config.mcxUri, config.provisioning);
  onClose(wipe);
  const { fetch, close } = await httpsFetch(caFile);
  onClose(close);
  const storage = new SealedStorage(
    await FileStorage.open(files.storage),
    await openStorageKeyFile(files.storageKey),
  );
  const random = systemRandom;
  const keys = await provisionMcxServer({
    config,
    storage,
    core,
    fetch,
    token,
    protection,
    now: Date.now,
    random,
    log,
  });
  onClose(() => keys.close());
  const adminToken = randomBytes(32).toString("base64url");
  const tokenFile = config.gms?.tokenFile ?? config.provisioning?.tokenFile;
  const server = await createMcxServer({
    config,
    storage,
    core,
    keys,
    fetch,
    gmsToken:
      tokenFile === undefined
        ? () => gmsDevelopmentToken(folder, config.mcxUri, TOKEN_LIFETIME)
        : async () => fromUtf8(await readFile(tokenFile, MAX_TOKEN), tokenFile).trim(),
    ...(credentials && { credentials: { cert: credentials.cert, key: credentials.key } }),
    ...(config.tokens === undefined && {
      developmentIssuer: await developmentIssuerOf(files, mcxAudience(config.mcxUri)),
    }),
    adminToken,
    random,
    log,
  });
  onClose(() => server.close());
  const { adminUrl, sip } = await server.listen().catch((error: unknown) => {
    throw listenError(error);
  });
  onClose(() => removeAdminFile(files.admin));
  await writeAdminFile(files.admin, { url: adminUrl, token: adminToken, pid: process.pid });
  return { adminUrl, sip: sip as Record<string, string> };
}
