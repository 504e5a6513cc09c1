/** The KMS of a data folder, started on a database that is open. */
import { randomBytes } from "node:crypto";
import { defined } from "../../base/defined.ts";
import type { KmsAdmin } from "../../roles/kms/admin/admin.ts";
import { type KmsConfig, type KmsConfigInput, kmsAudience } from "../../roles/kms/common/config.ts";
import { createKms } from "../../roles/kms/create.ts";
import type { ServerLog } from "../../roles/server/log.ts";
import type { Reconfiguration } from "../../roles/server/reconfigure.ts";
import type { Admission } from "../../transport/admission/admission.ts";
import { createFile } from "../files/durable.ts";
import { removeAdminFile, writeAdminFile } from "../server/admin-file.ts";
import { type DataFolder, exists, openDataFolder } from "../server/data-folder.ts";
import { developmentIssuerOf } from "../server/folder-tokens.ts";
import { requireIssuerCa } from "../server/https.ts";
import { FileIssuerKeys } from "../server/issuer-keys.ts";
import { listenError } from "../server/listen-error.ts";
import { type ListenOptions, lasting, listenOf } from "../server/listen-options.ts";
import { makeStoreKey, type ReadConfig } from "../server/make-folder.ts";
import { kmsStoreOn, type OpenedDatabase } from "../server/open-store.ts";
import { type Credentials, credentialsOf, requireFitToServe } from "../server/tls.ts";
import type { Output } from "../terminal/output.ts";
import { usageError } from "../terminal/usage.ts";

export interface KmsServeOptions extends ListenOptions {
  readonly dataDir: string;
  readonly config?: string;
  /** For the first start; later it must be the same. */
  readonly kmsUri?: string;
  /** For the first start, as kmsUri. */
  readonly database?: string;
  /** Plain HTTP, on loopback, for a proxy there. */
  readonly http: boolean;
  /** Makes a KMS in an empty database also where the folder had one before. */
  readonly init?: boolean;
}

export interface PreparedKms {
  readonly data: DataFolder;
  readonly credentials: Credentials | undefined;
  readonly mayMake: boolean;
  /** The configuration as its file has it now, checked as at the start. */
  readonly reread: () => Promise<KmsConfig>;
}

export interface RunningKms {
  readonly url: string;
  readonly adminUrl: string;
  readonly adminToken: string;
  readonly admin: KmsAdmin;
  /** Returns what the configuration would change, as its file has it now. */
  readonly reconfigure: () => Promise<Reconfiguration>;
  /** Users revoked at that time or later. */
  readonly revokedSince: (at: number) => Promise<{ uri: string; revokedAt: number }[]>;
  /** Closes the listeners, before everything else is closed with the database. */
  close(): Promise<void>;
}

/** URI of a KMS whose configuration names none. */
const DEFAULT_KMS_URI = "kms.localhost";

/** The configuration of a KMS at the first start. */
export function firstKmsConfig(
  options: ListenOptions & Pick<KmsServeOptions, "kmsUri" | "database">,
): KmsConfigInput {
  const { kmsUri, database } = options;
  return {
    kmsUri: kmsUri ?? DEFAULT_KMS_URI,
    ...listenOf(lasting(options)),
    ...(database !== undefined && { database: { url: database } }),
  };
}

/** Checks all that can be checked before anything is opened. */
export async function prepareKms(
  options: KmsServeOptions,
  { file }: Pick<ReadConfig, "file">,
  output: Output,
): Promise<PreparedKms> {
  const read = async () => {
    const opened = await openDataFolder(options, (given) => overridesOf(options, given));
    requireSame(opened, options, file);
    requireFitToServe(opened.config);
    await requireIssuerCa("tokens", opened.config.tokens);
    return opened;
  };
  const data = await read();
  const mayMake = options.init === true || !(await hadKms(data));
  await makeStoreKey(options.dataDir, data.files, output);
  const credentials = options.http ? undefined : await credentialsOf(data, Date.now());
  return { data, credentials, mayMake, reread: async () => (await read()).config };
}

/** Returns whether a KMS was made in this folder, in the database that is configured now or in another. */
async function hadKms({ config, files }: DataFolder): Promise<boolean> {
  return (
    (await exists(files.kmsMark)) || (config.database?.url !== undefined && (await exists(files.database)))
  );
}

export async function startKms(
  { data, credentials, mayMake, reread }: PreparedKms,
  opened: OpenedDatabase,
  log: ServerLog,
  admission?: Admission,
): Promise<RunningKms> {
  const { store, envelope, core, onClose } = kmsStoreOn(opened, data);
  const adminToken = randomBytes(32).toString("base64url");
  const kms = await createKms({
    config: data.config,
    store,
    envelope,
    ...(await core()),
    ...defined({ credentials }),
    ...(data.config.tokens === undefined && {
      developmentIssuer: await developmentIssuerOf(data.files, kmsAudience(data.config.kmsUri)),
    }),
    issuerKeys: new FileIssuerKeys(data.files.issuerKeys),
    adminToken,
    mayMake,
    log,
    ...defined({ admission }),
  });
  onClose(() => kms.close());
  const { kmsUri, certUri } = (await store.masters())[0]!.certificate;
  await createFile(data.files.kmsMark, `${JSON.stringify({ kmsUri, certUri }, null, 2)}\n`);
  const { url, adminUrl } = await kms.listen().catch((error: unknown) => {
    throw listenError(error);
  });
  onClose(() => removeAdminFile(data.files.admin));
  await writeAdminFile(data.files.admin, { url: adminUrl, token: adminToken, pid: process.pid });
  return {
    ...{ url, adminUrl, adminToken, admin: kms.admin },
    reconfigure: async () => kms.reconfigure(await reread()),
    close: () => kms.close(),
    revokedSince: (at) => store.revokedSince(at),
  };
}

/** All commands read from the configuration whose data it is: a start that says otherwise would hide the data. */
function requireSame({ config }: DataFolder, { kmsUri, database }: KmsServeOptions, file: string): void {
  if (kmsUri !== undefined && config.kmsUri !== kmsUri) {
    throw usageError("OTHER_KMS", `--kms-uri: ${file} is of the KMS ${config.kmsUri}`);
  }
  if (database !== undefined && config.database?.url !== database) {
    throw usageError("OTHER_DATABASE", `--database: ${file} names another, or the one in the data folder`);
  }
}

function overridesOf(options: KmsServeOptions, given: KmsConfigInput): Partial<KmsConfigInput> {
  return { ...listenOf(options, given), ...(options.http && { tls: undefined }) };
}
