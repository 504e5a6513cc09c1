/** The work of a KMS worker for one job of issuing keys. */
import { wipe } from "../../base/bytes.ts";
import type { Core } from "../core/core.ts";
import { KmsMaster, type MasterSecrets } from "../kms.ts";
import { packKeys } from "./key-records.ts";
import type { Session } from "./serve.ts";

/** Takes over the master secrets. */
export function openIssue(core: Core, secrets: MasterSecrets): Session<readonly Uint8Array[], Uint8Array> {
  try {
    const master = KmsMaster.load(core, secrets);
    return {
      run(ids) {
        const records = packKeys(master.issueBatch(ids));
        return { message: records, transfer: [records.buffer] };
      },
      destroy: () => master.destroy(),
    };
  } finally {
    wipe(secrets.z, secrets.ksak);
  }
}
