/** The MCX server of a data folder, started. */

import { randomBytes } from "node:crypto";
import { fromUtf8 } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { systemRandom } from "../../base/random.ts";
import { load } from "../../bindings/core/core.ts";
import { FileStorage, openStorageKeyFile } from "../../roles/identity/file-storage-node.ts";
import { SealedStorage } from "../../roles/identity/index.ts";
import type { McxState } from "../../roles/mcx/admin/metrics.ts";
import { mcxAudience } from "../../roles/mcx/common/config.ts";
import { createMcxServer, type McxServer } from "../../roles/mcx/create.ts";
import { provisionMcxServer } from "../../roles/mcx/identity.ts";
import type { ServerLog } from "../../roles/server/log.ts";
import { McxData, McxStore } from "../../store/index.ts";
import type { Admission } from "../../transport/admission/admission.ts";
import { gmsDevelopmentToken } from "../gms/gms-token.ts";
import { provisioningOf } from "../kms/server-provisioning.ts";
import { removeAdminFile, writeAdminFile } from "../server/admin-file.ts";
import { environmentOf } from "../server/environment.ts";
import { developmentIssuerOf } from "../server/folder-tokens.ts";
import { httpsFetch } from "../server/https.ts";
import { FileIssuerKeys } from "../server/issuer-keys.ts";
import { listenError } from "../server/listen-error.ts";
import { type OpenedDatabase, openSealedDatabase } from "../server/open-store.ts";
import type { Credentials } from "../server/tls.ts";
import { readFile } from "../terminal/files.ts";
import type { McxFolder } from "./mcx-folder.ts";

export interface RunningMcx {
  readonly adminUrl: string;
  readonly adminToken: string;
  readonly state: McxState;
  readonly processes: McxServer["processes"];
  readonly reconfigure: McxServer["reconfigure"];
  /** SIP URIs by transport. */
  readonly sip: Readonly<Record<string, string>>;
  /** WebSocket for the media of pages, where there is one. */
  readonly mediaUrl?: string;
  /** The URL to which members upload files, where there is file distribution. */
  readonly filesUrl?: string;
  /** Closes the listeners, before everything else is closed. */
  close(): Promise<void>;
}

const MAX_TOKEN = 64 << 10;
/** Seconds. Each request gets its own. */
const TOKEN_LIFETIME = 300;

/** On the database of the servers beside it, unless the configuration has another. What ends it is closed with that. */
export async function startMcx(
  { folder, config, files }: McxFolder,
  credentials: Credentials | undefined,
  { db, envelope, onClose }: Pick<OpenedDatabase, "db" | "envelope" | "onClose">,
  log: ServerLog,
  admission?: Admission,
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
  const shared =
    config.database && (await openSealedDatabase({ database: config.database, files }, environmentOf()));
  if (shared !== undefined) onClose(shared.close);
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
    ...defined({ credentials }),
    ...(config.tokens === undefined && {
      developmentIssuer: await developmentIssuerOf(files, mcxAudience(config.mcxUri)),
    }),
    issuerKeys: new FileIssuerKeys(files.issuerKeys),
    adminToken,
    random,
    log,
    ...defined({ admission }),
    ...(shared === undefined
      ? { data: McxData.open(db, envelope) }
      : { store: McxStore.open(shared.db, shared.envelope) }),
  });
  onClose(() => server.close());
  const { adminUrl, sip, mediaUrl, filesUrl } = await server.listen().catch((error: unknown) => {
    throw listenError(error);
  });
  onClose(() => removeAdminFile(files.admin));
  await writeAdminFile(files.admin, { url: adminUrl, token: adminToken, pid: process.pid });
  return {
    adminUrl,
    adminToken,
    state: server.state,
    processes: () => server.processes(),
    reconfigure: (next) => server.reconfigure(next),
    sip: sip as Record<string, string>,
    ...defined({ mediaUrl, filesUrl }),
    close: () => server.close(),
  };
}
