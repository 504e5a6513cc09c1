/** The folder of a KMS on this machine: what lies where, and the configuration. */
import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fromUtf8 } from "../../bindings/bytes.ts";
import type { KmsConfig, KmsConfigInput } from "../../roles/kms/config.ts";
import { parseKmsConfig } from "../../roles/kms/config.ts";
import { createFile } from "../durable.ts";
import { readFile } from "../files.ts";
import { usageError } from "../usage.ts";

export interface FolderOptions {
  /** The folder. */
  readonly dataDir: string;
  /** Configuration in place of the folder's own. */
  readonly config?: string;
}

export interface DataFolder {
  readonly folder: string;
  readonly config: KmsConfig;
  readonly files: DataFiles;
}

export interface DataFiles {
  /** The key that the database is sealed under, in hexadecimal. */
  readonly storeKey: string;
  /** PGlite. */
  readonly database: string;
  readonly tlsCertificate: string;
  readonly tlsKey: string;
  /** Key of the development token issuer, a JWK. */
  readonly tokenKey: string;
  /** Where the admin API of the running server is, and its token. */
  readonly admin: string;
}

const CONFIG = "config.json";
const MAX_CONFIG = 1 << 20;

/** The folder of a KMS that was made before. Usage error NO_KMS. */
export async function openDataFolder(
  { dataDir, config }: FolderOptions,
  overrides: Partial<KmsConfigInput> = {},
): Promise<DataFolder> {
  const file = config ?? configFileOf(dataDir);
  if (config === undefined && !(await exists(file))) {
    throw usageError("NO_KMS", `${dataDir}: no KMS here, ${CONFIG} is missing`);
  }
  const given = await readConfig(file);
  const checked = parseKmsConfig({ ...given, ...overrides });
  return { folder: dataDir, config: located(checked, dirname(file)), files: filesOf(dataDir, checked, file) };
}

export function configFileOf(dataDir: string): string {
  return join(dataDir, CONFIG);
}

/** Writes the configuration of a new KMS, whose database may have a password. False if there is one. */
export async function createConfig(dataDir: string, input: KmsConfigInput): Promise<boolean> {
  parseKmsConfig(input);
  return createFile(configFileOf(dataDir), `${JSON.stringify(input, null, 2)}\n`, { secret: true });
}

export async function readConfig(file: string): Promise<KmsConfigInput> {
  const text = fromUtf8(await readFile(file, MAX_CONFIG), file);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw usageError("BAD_CONFIG", `${file}: not JSON`, cause);
  }
}

export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** Paths in a configuration are relative to the file that it is. */
function located(config: KmsConfig, base: string): KmsConfig {
  const { tls } = config;
  if (tls === undefined) return config;
  const [certFile, keyFile] = [resolve(base, tls.certFile), resolve(base, tls.keyFile)];
  return { ...config, tls: { certFile, keyFile } };
}

function filesOf(folder: string, { storeKeyFile, database }: KmsConfig, configFile: string): DataFiles {
  const base = dirname(configFile);
  return {
    storeKey: storeKeyFile === undefined ? join(folder, "store.key") : resolve(base, storeKeyFile),
    database: database?.folder === undefined ? join(folder, "database") : resolve(base, database.folder),
    tlsCertificate: join(folder, "tls.crt"),
    tlsKey: join(folder, "tls.key"),
    tokenKey: join(folder, "token.key"),
    admin: join(folder, "admin.json"),
  };
}
