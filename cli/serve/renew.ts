/** Renewal of certificates at SIGHUP: those that were renewed in their files are given out from then on, and no call ends. */
import type { ServerLog } from "../../roles/server/log.ts";
import type { Credentials } from "../server/tls.ts";

export async function renewCertificates(
  all: readonly (Credentials | undefined)[],
  log: ServerLog,
): Promise<void> {
  for (const credentials of all) {
    if (credentials === undefined) continue;
    const { certFile } = credentials;
    try {
      await credentials.renew();
      log.info({ certFile }, "certificate read anew");
    } catch (error) {
      log.error(
        { certFile, detail: String(error) },
        "certificate not read anew: the one before it stays in use",
      );
    }
  }
}
