/** A KMS over a database, with users. */
import { keyPeriodEnd, keyPeriodNo } from "../../../bindings/identity/key-period.ts";
import { ntpFromUnixMs, ntpSeconds, ntpSecondsToUnixMs } from "../../../bindings/identity/ntp.ts";
import { createKeyIssuer, type KeyIssuerOptions, makeKms } from "../../../roles/kms/issue/index.ts";
import { type Database, Envelope, KmsStore, type MasterRecord } from "../../../store/index.ts";
import { seededRandom } from "../../support/random.ts";
import { HOME_KMS, NOW, STORE_KEY, sharedCore } from "../../support/world.ts";

export { HOME_KMS as KMS_URI, NOW, STORE_KEY, sharedCore };

export const RULE = { period: 2592000, offset: 0 };
export const PERIOD = keyPeriodNo(ntpSeconds(ntpFromUnixMs(NOW)), RULE);
/** First millisecond after PERIOD. */
export const BORDER = ntpSecondsToUnixMs(keyPeriodEnd(PERIOD, RULE));

export const users = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `sip:user${String(i).padStart(5, "0")}@home.example`);

export async function openStore(db: Database): Promise<KmsStore> {
  return KmsStore.open(db, await Envelope.open(db, STORE_KEY));
}

export async function makeTestKms(store: KmsStore): Promise<MasterRecord> {
  const rule = { userKeyPeriod: RULE.period, userKeyOffset: RULE.offset };
  const random = seededRandom("kms of the issue tests");
  return makeKms(store, { core: await sharedCore(), random, now: NOW, kmsUri: HOME_KMS, ...rule });
}

export async function makeIssuer(store: KmsStore, options: Partial<KeyIssuerOptions> = {}) {
  return createKeyIssuer({ store, core: await sharedCore(), now: () => NOW, ...options });
}
