/** The operations on a KMS: through the server that runs on its data folder, or on the database itself. */
import type { KmsAdmin } from "../../roles/kms/admin/admin.ts";
import { adminClient } from "../../roles/kms/admin/client.ts";
import { runningServer } from "./admin-file.ts";
import { type DataFolder, type FolderOptions, openDataFolder } from "./data-folder.ts";
import { openKms } from "./open-kms.ts";

export async function withAdmin<T>(
  options: FolderOptions,
  use: (admin: KmsAdmin, data: DataFolder) => Promise<T>,
): Promise<T> {
  const data = await openDataFolder(options);
  const running = await runningServer(data.files.admin, fetch);
  if (running !== undefined) {
    const { url, token } = running;
    return use(adminClient({ url, token, fetch }), data);
  }
  const { kms, close } = await openKms(data, process.env);
  try {
    return await use(kms.admin, data);
  } finally {
    await close();
  }
}
