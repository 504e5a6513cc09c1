/** The KMS of a data folder, started on a database that is open. */
import { randomBytes } from "node:crypto";
import { type KmsConfigInput, kmsAudience } from "../../roles/kms/config.ts";
import { createKms } from "../../roles/kms/create.ts";
import type { ServerLog } from "../../roles/server/log.ts";
import type { Output } from "../output.ts";
import { usageError } from "../usage.ts";
import { removeAdminFile, writeAdminFile } from "./admin-file.ts";
import { type DataFolder, openDataFolder } from "./data-folder.ts";
import { developmentIssuerOf } from "./development-tokens.ts";
import { listenError } from "./listen-error.ts";
import { makeStoreKey, type ReadConfig } from "./make-folder.ts";
import { kmsStoreOn, type OpenedDatabase } from "./open-store.ts";
import { type Credentials, credentialsOf, requireFitToServe } from "./tls.ts";

export interface KmsServeOptions {
  readonly dataDir: string;
  readonly config?: string;
  /** For the first start; later it must be the same. */
  readonly kmsUri?: string;
  readonly host?: string;
  readonly port?: number;
  readonly adminPort?: number;
  /** For the first start, as kmsUri. */
  readonly database?: string;
  /** Plain HTTP, on loopback, for a proxy there. */
  readonly http: boolean;
}

export interface PreparedKms {
  readonly data: DataFolder;
  readonly credentials: Credentials | undefined;
}

export interface RunningKms {
  readonly url: string;
  readonly adminUrl: string;
}

/** Of a KMS that nobody named. */
const DEFAULT_KMS_URI = "kms.localhost";

/** The configuration of a KMS at the first start. */
export function firstKmsConfig({
  kmsUri,
  database,
}: Pick<KmsServeOptions, "kmsUri" | "database">): KmsConfigInput {
  return {
    kmsUri: kmsUri ?? DEFAULT_KMS_URI,
    ...(database !== undefined && { database: { url: database } }),
  };
}

/** Checks all that can be checked before anything is opened. */
export async function prepareKms(
  options: KmsServeOptions,
  read: ReadConfig,
  output: Output,
): Promise<PreparedKms> {
  const data = await openDataFolder(options, overridesOf(options, read.kms));
  requireSame(data, options, read.file);
  requireFitToServe(data.config);
  await makeStoreKey(options.dataDir, data.files, output);
  return { data, credentials: options.http ? undefined : await credentialsOf(data, Date.now()) };
}

export async function startKms(
  { data, credentials }: PreparedKms,
  opened: OpenedDatabase,
  log: ServerLog,
): Promise<RunningKms> {
  const { store, envelope, core, onClose } = kmsStoreOn(opened, data);
  const adminToken = randomBytes(32).toString("base64url");
  const kms = await createKms({
    config: data.config,
    store,
    envelope,
    ...(await core()),
    ...(credentials && { credentials: { cert: credentials.cert, key: credentials.key } }),
    ...(data.config.tokens === undefined && {
      developmentIssuer: await developmentIssuerOf(data.files, kmsAudience(data.config.kmsUri)),
    }),
    adminToken,
    now: Date.now,
    log,
  });
  onClose(() => kms.close());
  const { url, adminUrl } = await kms.listen().catch((error: unknown) => {
    throw listenError(error);
  });
  onClose(() => removeAdminFile(data.files.admin));
  await writeAdminFile(data.files.admin, { url: adminUrl, token: adminToken, pid: process.pid });
  return { url, adminUrl };
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

/** Where to listen: what the command line says before what the file says. */
function overridesOf(options: KmsServeOptions, given: KmsConfigInput | undefined): Partial<KmsConfigInput> {
  const { host, port, adminPort } = options;
  // Two KMSs on one machine differ in one option.
  const admin = adminPort ?? (port === undefined ? undefined : port === 0 ? 0 : port + 1);
  return {
    listen: { ...given?.listen, ...(host !== undefined && { host }), ...(port !== undefined && { port }) },
    admin: { ...given?.admin, ...(admin !== undefined && { port: admin }) },
    ...(options.http && { tls: undefined }),
  };
}
