/** The KMS and GMS that a command works on: those of a data folder, or those at the URLs of their admin APIs. */
import type { Command } from "commander";
import { fromUtf8 } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import type { GmsAdmin } from "../../roles/gms/common/ports.ts";
import type { KmsAdmin } from "../../roles/kms/admin/admin.ts";
import { DEFAULT_FOLDER } from "../server/folder-options.ts";
import { readFile } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";

const MAX_TOKEN = 4096;

export interface AdminArgs {
  dataDir: string;
  config?: string;
  kmsAdmin?: string;
  kmsAdminToken?: string;
  gmsAdmin?: string;
  gmsAdminToken?: string;
}

export function adminOptions(command: Command): Command {
  return command
    .option("--data-dir <dir>", "folder of the servers, as of serve", DEFAULT_FOLDER)
    .option("--config <file>", "configuration, if not the folder's config.json")
    .option("--kms-admin <url>", "admin API of the KMS, if it does not run on the folder")
    .option("--kms-admin-token <file>", "file with the token for it")
    .option("--gms-admin <url>", "admin API of the GMS, if it does not run on the folder")
    .option("--gms-admin-token <file>", "file with the token for it");
}

/** Usage errors BAD_CALL, GMS_NOT_RUNNING, NO_KMS. */
export async function adminAccess<T>(
  args: AdminArgs,
  use: (kms: KmsAdmin, gms: GmsAdmin) => Promise<T>,
): Promise<T> {
  const { dataDir, config } = args;
  const ofGms = await remote(args.gmsAdmin, args.gmsAdminToken, "--gms-admin");
  const ofKms = await remote(args.kmsAdmin, args.kmsAdminToken, "--kms-admin");
  const withGms = async (kms: KmsAdmin) => {
    if (ofGms !== undefined) {
      const { gmsAdminClient } = await import("../../roles/gms/admin/client.ts");
      return use(kms, gmsAdminClient(ofGms));
    }
    const { withGmsAdmin } = await import("./with-admin.ts");
    return withGmsAdmin({ dataDir }, (gms) => use(kms, gms));
  };
  if (ofKms !== undefined) {
    const { adminClient } = await import("../../roles/kms/admin/client.ts");
    return withGms(adminClient(ofKms));
  }
  const { withAdmin } = await import("../kms/with-admin.ts");
  return withAdmin({ dataDir, ...defined({ config }) }, withGms);
}

async function remote(url: string | undefined, file: string | undefined, option: string) {
  if (url === undefined && file === undefined) return undefined;
  if (url === undefined || file === undefined) {
    throw usageError("BAD_CALL", `${option} and ${option}-token go together`);
  }
  return { url, token: fromUtf8(await readFile(file, MAX_TOKEN), file).trim() };
}
