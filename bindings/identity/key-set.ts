/** Checks that hold for every user key set before any of its keys is used (TS 33.180 5.3.6, D.3.3). */
import { equal } from "../../base/bytes.ts";
import { refusal } from "../../base/checks.ts";
import type { KmsDomain } from "./kms-domain.ts";
import type { KeySet } from "./kms-material.ts";

/** Checks 73 to 75. The UID is worked out again: keys under another UID would never open anything. */
export function checkKeySet(domain: KmsDomain, keySet: KeySet): void {
  if (keySet.kmsUri !== domain.kmsUri) {
    throw refusal(
      "KEY_SET_OF_OTHER_KMS",
      `key set of ${keySet.userUri}: from ${keySet.kmsUri}, not ${domain.kmsUri}`,
    );
  }
  if (keySet.revoked === true) throw refusal("KEY_SET_REVOKED", `key set of ${keySet.userUri}: revoked`);
  if (!equal(domain.uid(keySet.userUri, keySet.keyPeriodNo), keySet.uid)) {
    throw refusal(
      "KEY_SET_UID_MISMATCH",
      `key set of ${keySet.userUri}: UserID does not follow from its identity`,
    );
  }
}
