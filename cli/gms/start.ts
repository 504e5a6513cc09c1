/** The GMS of a data folder, started on a database that is open. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { defined } from "../../base/defined.ts";
import { systemRandom } from "../../base/random.ts";
import { load } from "../../bindings/core/core.ts";
import { createPool } from "../../bindings/pool/index.ts";
import { type GmsConfig, gmsAudience } from "../../roles/gms/common/config.ts";
import type { GmsAdmin, GmsContext } from "../../roles/gms/common/ports.ts";
import { createGms, type Gms } from "../../roles/gms/create.ts";
import { provisionGms } from "../../roles/gms/identity.ts";
import type { ServerLog } from "../../roles/server/log.ts";
import type { Reconfiguration } from "../../roles/server/reconfigure.ts";
import { GmsStore } from "../../store/gms/gms-store.ts";
import type { Admission } from "../../transport/admission/admission.ts";
import { provisioningOf } from "../kms/server-provisioning.ts";
import { removeAdminFile, writeAdminFile } from "../server/admin-file.ts";
import { developmentIssuerOf } from "../server/folder-tokens.ts";
import { httpsFetch } from "../server/https.ts";
import { FileIssuerKeys } from "../server/issuer-keys.ts";
import { listenError } from "../server/listen-error.ts";
import type { OpenedDatabase } from "../server/open-store.ts";
import type { Credentials } from "../server/tls.ts";
import { type GmsFolder, gmsAdminFileOf } from "./gms-folder.ts";

export interface PreparedGms {
  readonly data: GmsFolder;
  readonly credentials: Credentials | undefined;
  /** The configuration as its file has it now, checked as at the start. */
  readonly reread: () => Promise<GmsConfig>;
}

export interface RunningGms {
  /** The XCAP root. */
  readonly xcapUrl: string;
  readonly adminUrl: string;
  readonly adminToken: string;
  /** SIP URIs by transport. */
  readonly sip: Readonly<Record<string, string>>;
  readonly admin: GmsAdmin;
  readonly processes: Gms["processes"];
  readonly on: GmsContext["on"];
  /** Returns what the configuration would change, as its file has it now. */
  readonly reconfigure: () => Promise<Reconfiguration>;
  /** Closes the listeners, before everything else is closed with the database. */
  close(): Promise<void>;
}

export async function startGms(
  { data, credentials, reread }: PreparedGms,
  { db, envelope, onClose }: OpenedDatabase,
  log: ServerLog,
  admission?: Admission,
): Promise<RunningGms> {
  const { config, files, folder } = data;
  const store = GmsStore.open(db, envelope);
  const pool = config.workers === 0 ? undefined : await createPool({ workers: config.workers });
  const core = pool?.core ?? (await load());
  onClose(() => (pool ?? core).destroy());
  const { token, caFile, protection, wipe } = await provisioningOf(config.gmsUri, config.provisioning);
  onClose(wipe);
  const { fetch, close } = await httpsFetch(caFile);
  onClose(close);
  const keys = await provisionGms({ config, store, core, fetch, token, protection, log });
  onClose(() => keys.close());
  const adminToken = randomBytes(32).toString("base64url");
  const gms = await createGms({
    config,
    store,
    core,
    keys,
    ...defined({ pool, credentials }),
    ...(config.tokens === undefined && {
      developmentIssuer: await developmentIssuerOf(files, gmsAudience(config.gmsUri)),
    }),
    issuerKeys: new FileIssuerKeys(files.issuerKeys),
    adminToken,
    // The same at the next start: what this one had begun is taken over at once then.
    instance: `${hostname()}:${resolve(folder)}`,
    random: systemRandom,
    log,
    ...defined({ admission }),
  });
  onClose(() => gms.close());
  const { xcapUrl, adminUrl, sip } = await gms.listen().catch((error: unknown) => {
    throw listenError(error);
  });
  const adminFile = gmsAdminFileOf(folder);
  onClose(() => removeAdminFile(adminFile));
  await writeAdminFile(adminFile, { url: adminUrl, token: adminToken, pid: process.pid });
  return {
    xcapUrl,
    adminUrl,
    adminToken,
    sip: sip as Record<string, string>,
    reconfigure: async () => gms.reconfigure(await reread()),
    close: () => gms.close(),
    admin: gms.admin,
    processes: () => gms.processes(),
    on: (events) => gms.context.on(events),
  };
}
