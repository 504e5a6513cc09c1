/** The folder of the servers on this machine: what lies where, and the configuration. */
import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fromUtf8 } from "../../base/bytes.ts";
import { consoleConfigSchema } from "../../roles/console/config.ts";
import { gmsConfigSchema } from "../../roles/gms/common/config.ts";
import {
  type KmsConfig,
  type KmsConfigInput,
  kmsConfigSchema,
  parseKmsConfig,
} from "../../roles/kms/common/config.ts";
import { mcxConfigSchema } from "../../roles/mcx/common/config.ts";
import { withEnvironment } from "../../roles/server/config-keys.ts";
import { logConfigSchema } from "../../roles/server/log-config.ts";
import type { Provisioning } from "../../roles/server/provisioning-config.ts";
import { createFile } from "../files/durable.ts";
import { readFile } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";
import { environmentOf } from "./environment.ts";

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
  /** Last known keys of token issuers. */
  readonly issuerKeys: string;
  /** The file with the address of the running server's admin API, and its token. */
  readonly admin: string;
  /** Says which KMS the folder is of, once there is one: a database without it is the wrong one. */
  readonly kmsMark: string;
}

const CONFIG = "config.json";
const MAX_CONFIG = 1 << 20;

/**
 * The content of a configuration file: the keys of the KMS, under `gms` and `mcx` those of the other servers, under
 * `console` those of the operators' console and under `log` those of the log of all, if they are there.
 */
export interface ConfigFile {
  readonly kms?: KmsConfigInput;
  readonly gms?: object;
  readonly mcx?: object;
  readonly console?: object;
  readonly log?: object;
}

/** The folder of a KMS that was made before. Usage error NO_KMS. */
export async function openDataFolder(
  { dataDir, config }: FolderOptions,
  overridesOf: (given: KmsConfigInput) => Partial<KmsConfigInput> = () => ({}),
): Promise<DataFolder> {
  const file = config ?? configFileOf(dataDir);
  if (config === undefined && !(await exists(file))) {
    throw usageError("NO_KMS", `${dataDir}: no KMS here, ${CONFIG} is missing`);
  }
  const { kms } = await readConfig(file);
  if (kms === undefined) throw usageError("NO_KMS", `${file}: has no KMS`);
  const checked = parseKmsConfig({ ...kms, ...overridesOf(kms) });
  return { folder: dataDir, config: located(checked, dirname(file)), files: filesOf(dataDir, checked, file) };
}

/** Reads the configuration of a folder, if there is one: a server that is not the KMS of the folder needs none. */
export async function readFolder({
  dataDir,
  config,
}: FolderOptions): Promise<{ readonly file: string; readonly read: ConfigFile }> {
  const file = config ?? configFileOf(dataDir);
  const isThere = config !== undefined || (await exists(file));
  return { file, read: isThere ? await readConfig(file) : {} };
}

export function configFileOf(dataDir: string): string {
  return join(dataDir, CONFIG);
}

/** Writes the configuration of a new folder; its database may have a password. False if there is one. */
export async function createConfig(dataDir: string, content: ConfigFile): Promise<boolean> {
  return createFile(configFileOf(dataDir), configText(content), { secret: true });
}

export function configText({ kms, ...others }: ConfigFile): string {
  const content = { ...kms, ...others };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** Variables of the environment have the last word. */
export async function readConfig(
  file: string,
  environment: NodeJS.ProcessEnv = environmentOf(),
): Promise<ConfigFile> {
  const {
    gms: givenGms,
    mcx: givenMcx,
    console: givenConsole,
    log: givenLog,
    ...givenKms
  } = await readObject(file);
  const kms = withEnvironment(givenKms, kmsConfigSchema, "MIKEY_SAKKE_KMS", environment);
  const under = (name: string, given: unknown, schema: Parameters<typeof withEnvironment>[1]) =>
    withEnvironment(
      objectOf(given ?? {}, `${file}: ${name}`),
      schema,
      `MIKEY_SAKKE_${name.toUpperCase()}`,
      environment,
    );
  const gms = under("gms", givenGms, gmsConfigSchema);
  const mcx = under("mcx", givenMcx, mcxConfigSchema);
  const ofConsole = under("console", givenConsole, consoleConfigSchema);
  const log = under("log", givenLog, logConfigSchema);
  return {
    ...(Object.keys(kms).length > 0 && { kms: kms as KmsConfigInput }),
    ...(Object.keys(gms).length > 0 && { gms }),
    ...(Object.keys(mcx).length > 0 && { mcx }),
    ...(Object.keys(ofConsole).length > 0 && { console: ofConsole }),
    ...(Object.keys(log).length > 0 && { log }),
  };
}

type Sections = { gms?: unknown; mcx?: unknown; console?: unknown; log?: unknown };

async function readObject(file: string): Promise<Sections> {
  const text = fromUtf8(await readFile(file, MAX_CONFIG), file);
  try {
    return objectOf(JSON.parse(text), file);
  } catch (cause) {
    if (cause instanceof SyntaxError)
      throw usageError("BAD_CONFIG", `${file}: not JSON${placeOf(cause, text)}`, cause);
    throw cause;
  }
}

/** The line where the fault is, as far as the parser tells. The rest of its text may quote a secret. */
function placeOf({ message }: SyntaxError, text: string): string {
  const offset = /at position (\d+)/.exec(message)?.[1];
  return offset === undefined ? "" : ` in line ${text.slice(0, Number(offset)).split("\n").length}`;
}

function objectOf(value: unknown, place: string): object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw usageError("BAD_CONFIG", `${place}: not a JSON object`);
}

export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** Parts of a configuration whose keys may name files. */
interface WithPaths {
  readonly tls?: KmsConfig["tls"];
  readonly provisioning?: Provisioning | undefined;
  readonly gms?: { readonly tokenFile?: string | undefined } | undefined;
  readonly tokens?: { readonly caFile?: string | undefined } | undefined;
}

/** The configuration with its paths, which are relative to the folder `base` of its file, made absolute. */
export function located<T extends WithPaths>(config: T, base: string): T {
  return {
    ...config,
    ...(config.tls && { tls: resolved(config.tls, base) }),
    ...(config.provisioning && { provisioning: resolved(config.provisioning, base) }),
    ...(config.gms && { gms: resolved(config.gms, base) }),
    ...(config.tokens && { tokens: resolved(config.tokens, base) }),
  };
}

/** Keys that end in "File" or "Folder" are paths. */
function resolved<T extends object>(part: T, base: string): T {
  const entries = Object.entries(part).map(([key, value]) => [
    key,
    /(?:File|Folder)$/.test(key) && typeof value === "string" ? resolve(base, value) : value,
  ]);
  return Object.fromEntries(entries) as T;
}

/** Returns the file with the address and the token of the admin API of the KMS that runs on the folder. */
export function kmsAdminFileOf(folder: string): string {
  return join(folder, "admin.json");
}

/** Paths in a configuration are relative to the file that it is. */
export function filesOf(
  folder: string,
  { storeKeyFile, database }: Pick<KmsConfig, "storeKeyFile" | "database">,
  configFile: string,
): DataFiles {
  const base = dirname(configFile);
  return {
    storeKey: storeKeyFile === undefined ? join(folder, "store.key") : resolve(base, storeKeyFile),
    database: database?.folder === undefined ? join(folder, "database") : resolve(base, database.folder),
    tlsCertificate: join(folder, "tls.crt"),
    tlsKey: join(folder, "tls.key"),
    tokenKey: join(folder, "token.key"),
    issuerKeys: join(folder, "issuer-keys"),
    admin: kmsAdminFileOf(folder),
    kmsMark: join(folder, "kms.json"),
  };
}
