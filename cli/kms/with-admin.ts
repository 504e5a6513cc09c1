/** The operations on a KMS: through the server that runs on its data folder, or on the database itself. */

import type { KmsAdmin } from "../../roles/kms/admin/admin.ts";
import { adminClient } from "../../roles/kms/admin/client.ts";
import { createKmsAdmin, type KmsAdminDeps } from "../../roles/kms/admin/operations.ts";
import { createKeyIssuer } from "../../roles/kms/issue/index.ts";
import { runningServer } from "../server/admin-file.ts";
import { type DataFolder, type FolderOptions, openDataFolder } from "../server/data-folder.ts";
import { environmentOf } from "../server/environment.ts";
import { openStore } from "../server/open-store.ts";

export async function withAdmin<T>(
  options: FolderOptions,
  use: (admin: KmsAdmin, data: DataFolder) => Promise<T>,
): Promise<T> {
  const data = await openDataFolder(options);
  const running = await runningServer(data.files.admin, fetch);
  if (running !== undefined) return use(adminClient({ url: running.url, token: running.token }), data);
  const { store, envelope, core, onClose, close } = await openStore(data, environmentOf());
  try {
    let made: ReturnType<KmsAdminDeps["maker"]> | undefined;
    const maker = async () => {
      const parts = await core();
      const issuer = await createKeyIssuer({ store, now: Date.now, ...parts });
      onClose(() => issuer.destroy());
      return { core: parts.core, issuer };
    };
    const admin = createKmsAdmin({
      store,
      envelope,
      maker: () => {
        made ??= maker();
        return made;
      },
      now: Date.now,
    });
    return await use(admin, data);
  } finally {
    await close();
  }
}
