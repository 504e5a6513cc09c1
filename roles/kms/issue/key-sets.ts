/** Issued keys as the key sets of TS 33.180 D.3.3. */
import { wipe } from "../../../base/bytes.ts";
import { defined } from "../../../base/defined.ts";
import { keyPeriodEnd, keyPeriodStart } from "../../../bindings/identity/key-period.ts";
import type { KeySet, KmsCertificate } from "../../../bindings/identity/kms-material.ts";
import { ntpSecondsToUnixMs } from "../../../bindings/identity/ntp.ts";
import type { IssuedKey } from "../../../store/index.ts";

/** The key set takes the secrets of the record over. Its life is that of the period, as far as the certificate's goes. */
export function keySetOf({ userUri, periodNo, uid, rsk, ssk, pvt }: IssuedKey, c: KmsCertificate): KeySet {
  const rule = { period: c.userKeyPeriod, offset: c.userKeyOffset };
  return {
    kmsUri: c.kmsUri,
    ...defined({ certUri: c.certUri, issuer: c.issuer }),
    userUri,
    uid,
    validFrom: Math.max(ntpSecondsToUnixMs(keyPeriodStart(periodNo, rule)), c.validFrom ?? -Infinity),
    validTo: Math.min(ntpSecondsToUnixMs(keyPeriodEnd(periodNo, rule)), c.validTo ?? Infinity),
    keyPeriodNo: periodNo,
    rsk,
    ssk,
    pvt,
  };
}

/** Clears the secret keys of key sets, or of issued keys. */
export function wipeKeys(keys: readonly { readonly rsk: Uint8Array; readonly ssk: Uint8Array }[]): void {
  for (const { rsk, ssk } of keys) wipe(rsk, ssk);
}
