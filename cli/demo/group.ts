/** The cast of the demo: a KMS, the GMS of a group, and its members, all with keys of their own. */
import {
  type Core,
  Initiator,
  type KeySet,
  type KmsCertificate,
  KmsDomain,
  MemoryReceiverState,
  type NtpTime,
  ntpFromUnixMs,
  ntpSeconds,
  type OpenContext,
  Receiver,
  systemRandom,
} from "../../bindings/index.ts";
import { KmsMaster } from "../../bindings/kms.ts";

export const GROUP_URI = "sip:fire@example.org";
const GMS_URI = "sip:gms@example.org";
const KMS_URI = "kms.example.org";
/** 30 days, the period of the examples in TS 33.180 F.2.1. */
const KEY_PERIOD = 2_592_000;

export interface Member {
  readonly keySet: KeySet;
  /** What this member remembers between messages. */
  readonly state: MemoryReceiverState;
  receiver?: Receiver;
}

export class DemoKms {
  readonly domain: KmsDomain;
  readonly #master: KmsMaster;
  readonly #time: NtpTime;

  /** `now` in ms since the Unix epoch: keys are issued for its key period. */
  constructor(core: Core, now: number) {
    this.#time = ntpFromUnixMs(now);
    this.#master = KmsMaster.generate(core, systemRandom);
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

export function memberUri(number: number): string {
  return `sip:member${number}@example.org`;
}

export function makeMember(keySet: KeySet): Member {
  return { keySet, state: new MemoryReceiverState() };
}

/** Loads the member's keys, which checks the RSK against the KMS's public key (RFC 6508 6.1.2). */
export function loadReceiver(member: Member, domain: KmsDomain): Receiver {
  member.receiver ??= Receiver.load([domain], [member.keySet]);
  return member.receiver;
}

export function unloadReceiver(member: Member): void {
  member.receiver?.destroy();
  delete member.receiver;
}

/** How a member of the demo judges a message: GMKs only, and only from the GMS of the group. */
export function openContext(member: Member, domain: KmsDomain, now: number): OpenContext {
  return {
    receiver: loadReceiver(member, domain),
    state: member.state,
    now,
    allow: ["GMK"],
    authorise: ({ uri }) => uri === GMS_URI,
  };
}
