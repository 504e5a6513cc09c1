/** The MCX server of a data folder: its configuration, with what it has in common with the servers beside it. */
import { dirname, join } from "node:path";
import { defined } from "../../base/defined.ts";
import type { GmsConfigInput } from "../../roles/gms/common/config.ts";
import type { KmsConfig } from "../../roles/kms/common/config.ts";
import { type McxConfig, type McxConfigInput, parseMcxConfig } from "../../roles/mcx/common/config.ts";
import { type ConfigFile, type FolderOptions, filesOf, located, readFolder } from "../server/data-folder.ts";
import { usageError } from "../terminal/usage.ts";

export interface McxFolder {
  readonly folder: string;
  readonly config: McxConfig;
  readonly files: McxFiles;
}

export interface McxFiles {
  /** Sealed storage of the server's keys, and of group keys that the GMS gives it. */
  readonly storage: string;
  readonly storageKey: string;
  readonly tokenKey: string;
  /** Last known keys of token issuers. */
  readonly issuerKeys: string;
  /** Store key of the database that several processes share, if the configuration has one. */
  readonly storeKey: string;
  readonly database: string;
  readonly tlsCertificate: string;
  readonly tlsKey: string;
  /** The file with the address of the running server's admin API, and its token. */
  readonly admin: string;
}

/** Returns the file with the address and the token of the admin API of the MCX server that runs on the folder. */
export function mcxAdminFileOf(dataDir: string): string {
  return join(dataDir, "mcx-admin.json");
}

/** Usage errors NO_MCX and BAD_CONFIG. */
export async function openMcxFolder(
  options: FolderOptions,
  overridesOf: (given: Partial<McxConfigInput>) => Partial<McxConfigInput> = () => ({}),
): Promise<McxFolder> {
  const { file, read } = await readFolder(options);
  const { dataDir } = options;
  if (read.mcx === undefined) throw usageError("NO_MCX", `${dataDir}: no MCX server here`);
  const given = withShared(read);
  const checked = parseMcxConfig({ ...given, ...overridesOf(given) });
  const { tlsCertificate, tlsKey, tokenKey, issuerKeys, storeKey, database } = filesOf(
    dataDir,
    checked,
    file,
  );
  return {
    folder: dataDir,
    config: located(checked, dirname(file)),
    files: {
      storage: join(dataDir, "mcx-keys"),
      storageKey: join(dataDir, "mcx.key"),
      tokenKey,
      issuerKeys,
      storeKey,
      database,
      tlsCertificate,
      tlsKey,
      admin: mcxAdminFileOf(dataDir),
    },
  };
}

function withShared({ kms, gms, mcx }: ConfigFile): Partial<McxConfigInput> {
  const { kmsUri, tls } = (kms ?? {}) as Partial<KmsConfig>;
  const ofGms = gms as Partial<GmsConfigInput> | undefined;
  const home = kmsUri ?? ofGms?.kmsUri;
  return {
    ...defined({ kmsUri: home, tls }),
    ...(mcx as Partial<McxConfigInput>),
  };
}
