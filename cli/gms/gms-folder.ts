/** The GMS of a data folder: its configuration, with what it has in common with the KMS of the folder. */
import { dirname, join } from "node:path";
import { defined } from "../../base/defined.ts";
import type { GmsConfig, GmsConfigInput } from "../../roles/gms/common/config.ts";
import { parseGmsConfig } from "../../roles/gms/common/config.ts";
import type { KmsConfig } from "../../roles/kms/common/config.ts";
import { type DataFiles, type FolderOptions, filesOf, located, readFolder } from "../server/data-folder.ts";
import { usageError } from "../terminal/usage.ts";

export interface GmsFolder {
  readonly folder: string;
  readonly config: GmsConfig;
  readonly files: DataFiles;
}

/** Keys that the GMS takes from the KMS of its folder: one database and one certificate serve both. */
const SHARED = ["tls", "database", "storeKeyFile"] as const;

/** Returns the file with the address and the token of the admin API of the GMS that runs on the folder. */
export function gmsAdminFileOf(dataDir: string): string {
  return join(dataDir, "gms-admin.json");
}

/** Usage errors NO_GMS and BAD_CONFIG. */
export async function openGmsFolder(
  options: FolderOptions,
  overridesOf: (given: Partial<GmsConfigInput>) => Partial<GmsConfigInput> = () => ({}),
): Promise<GmsFolder> {
  const { file, read } = await readFolder(options);
  const { dataDir } = options;
  if (read.gms === undefined) throw usageError("NO_GMS", `${dataDir}: no GMS here`);
  const given = withShared(read.gms, read.kms as Partial<KmsConfig> | undefined, file);
  const checked = parseGmsConfig({ ...given, ...overridesOf(given) });
  return {
    folder: dataDir,
    config: located(checked, dirname(file)),
    files: filesOf(dataDir, checked, file),
  };
}

function withShared(
  gms: Partial<GmsConfigInput>,
  kms: Partial<KmsConfig> | undefined,
  file: string,
): Partial<GmsConfigInput> {
  if (kms === undefined) return gms;
  const own = SHARED.filter((key) => key !== "tls" && gms[key] !== undefined);
  if (own.length > 0) {
    throw usageError("BAD_CONFIG", `${file}: gms.${own[0]}: the KMS of the folder has it for both`);
  }
  const common = Object.fromEntries(SHARED.map((key) => [key, kms[key]]).filter(([, v]) => v !== undefined));
  return { ...defined({ kmsUri: kms.kmsUri }), ...common, ...gms };
}
