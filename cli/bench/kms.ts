/** The KMS of the measurements, in memory. */
import {
  type Core,
  Initiator,
  type KeySet,
  type KmsCertificate,
  KmsDomain,
  type NtpTime,
  ntpFromUnixMs,
  ntpSeconds,
  type RandomSource,
} from "../../bindings/index.ts";
import { KmsMaster } from "../../bindings/kms.ts";

export const GROUP_URI = "sip:fire@example.org";
const GMS_URI = "sip:gms@example.org";
const KMS_URI = "kms.example.org";
/** 30 days, the period of the examples in TS 33.180 F.2.1. */
const KEY_PERIOD = 2_592_000;

/** Makes keys as a KMS does, without being a server. */
export class BenchKms {
  readonly domain: KmsDomain;
  readonly #master: KmsMaster;
  readonly #time: NtpTime;

  /** `now` in ms since the Unix epoch: keys are issued for its key period. */
  constructor(core: Core, now: number, random: RandomSource) {
    this.#time = ntpFromUnixMs(now);
    this.#master = KmsMaster.generate(core, random);
    const certificate: KmsCertificate = {
      role: "Root",
      kmsUri: KMS_URI,
      userIdFormat: "2",
      userKeyPeriod: KEY_PERIOD,
      userKeyOffset: 0,
      pubEncKey: this.#master.zt,
      pubAuthKey: this.#master.kpak,
      parameterSet: 1,
    };
    this.domain = KmsDomain.load(core, certificate);
  }

  issue(uris: readonly string[]): KeySet[] {
    const keyPeriodNo = this.domain.keyPeriodNo(ntpSeconds(this.#time));
    const uids = uris.map((uri) => this.domain.uid(uri, keyPeriodNo));
    const issued = this.#master.issueBatch(uids);
    return uris.map((userUri, i) => ({
      kmsUri: KMS_URI,
      userUri,
      uid: uids[i]!,
      keyPeriodNo,
      ...issued[i]!,
    }));
  }

  makeGms(): Initiator {
    return Initiator.load(this.domain, this.issue([GMS_URI]));
  }

  destroy(): void {
    this.domain.destroy();
    this.#master.destroy();
  }
}
