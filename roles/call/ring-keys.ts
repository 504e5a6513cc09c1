/** The keys of a group in a key ring, as media are protected with them. */
import type { GroupMediaKeys } from "../../bindings/media/index.ts";
import type { GroupKeyRing } from "../group-keys/group-key-ring.ts";

/** Sends under the GMK activated last, and receives under each that is for the group and neither expired nor revoked. */
export function ringKeys(ring: GroupKeyRing, groupUri: string): GroupMediaKeys {
  return {
    sending: () => ring.current(groupUri)?.key,
    receiving(gmkId) {
      const key = ring.byGmkId(gmkId);
      return key?.groups.includes(groupUri) ? key.key : undefined;
    },
  };
}
