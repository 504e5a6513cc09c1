/** New master secrets with their certificate: the first of a KMS, and those that take over from others. */
import { createHash } from "node:crypto";
import { wipe } from "../../../base/bytes.ts";
import { defined } from "../../../base/defined.ts";
import { type ErrorCode, MikeySakkeError } from "../../../base/errors.ts";
import type { RandomSource } from "../../../base/random.ts";
import type { Core } from "../../../bindings/core/core.ts";
import { type KeyPeriodRule, keyPeriodNo, keyPeriodStart } from "../../../bindings/identity/key-period.ts";
import type { KmsCertificate } from "../../../bindings/identity/kms-material.ts";
import { ntpFromUnixMs, ntpSeconds, ntpSecondsToUnixMs } from "../../../bindings/identity/ntp.ts";
import { KmsMaster } from "../../../bindings/kms.ts";
import type { KmsStore, MasterRecord } from "../../../store/index.ts";

/** Periods that are tried for a master to begin with. Keys are issued for the few next ones only. */
const MOST_AHEAD = 120;

interface Common {
  readonly core: Core;
  readonly random: RandomSource;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** Actor in the audit log. Default "kms". */
  readonly actor?: string;
}

export interface MakeKmsOptions extends Common {
  readonly kmsUri: string;
  /** Seconds: P3 and P4 of F.2.1. */
  readonly userKeyPeriod: number;
  readonly userKeyOffset: number;
  readonly kmsDomains?: readonly string[];
  readonly issuer?: string;
  /** First period that keys are issued for. Default: the one before the current one, as clocks differ. */
  readonly fromPeriod?: number;
}

/** The first master and certificate. Usage error `MASTER_EXISTS`, also when another process was faster. */
export async function makeKms(store: KmsStore, options: MakeKmsOptions): Promise<MasterRecord> {
  const { kmsUri, userKeyPeriod, userKeyOffset, kmsDomains, issuer, now } = options;
  const rule = { period: userKeyPeriod, offset: userKeyOffset };
  const { fromPeriod = Math.max(0, periodAt(now, rule) - 1) } = options;
  return add(store, options, {
    fromPeriod,
    first: true,
    certificate: {
      role: "Root",
      kmsUri,
      ...defined({ issuer }),
      validFrom: startOf(fromPeriod, rule),
      userIdFormat: "2",
      userKeyPeriod,
      userKeyOffset,
      parameterSet: 1,
      ...defined({ kmsDomains }),
    },
  });
}

export interface RotateOptions extends Common {
  /**
   * First period of the new master, after the current one. Usage error `PERIOD_ISSUED` where keys of it or of a later
   * one were issued. Default: the first for which there are none.
   */
  readonly fromPeriod?: number;
  /**
   * From now on, in the midst of a period. Keys of this period and of later ones are dropped: each user needs new ones
   * before they can send or receive. For a master secret that is no longer one.
   */
  readonly atOnce?: boolean;
}

/**
 * A new master with another certificate. It is valid from the start of its first period, and the one before it until
 * then; both are served.
 */
export async function rotateMaster(store: KmsStore, options: RotateOptions): Promise<MasterRecord> {
  const { now, atOnce = false, fromPeriod } = options;
  const last = (await store.masters()).at(-1);
  if (last === undefined) throw usage("NO_MASTER", "the KMS has no master yet");
  const { id, certUri, validFrom, validTo, revoked, ...certificate } = last.certificate;
  const rule = { period: certificate.userKeyPeriod, offset: certificate.userKeyOffset };
  const current = periodAt(now, rule);
  if (atOnce) {
    if (fromPeriod !== undefined) throw usage("BAD_PERIOD", "a master that takes over at once begins now");
    const second = Math.floor(now / 1000) * 1000;
    const begin = { fromPeriod: current, certificate: { ...certificate, validFrom: second } };
    return add(store, options, { ...begin, replaceIssued: true });
  }
  if (fromPeriod !== undefined && !(Number.isSafeInteger(fromPeriod) && fromPeriod > current)) {
    throw usage(
      "BAD_PERIOD",
      `period ${fromPeriod}: a new master begins after the current period ${current}`,
    );
  }
  for (let period = fromPeriod ?? current + 1; ; period++) {
    const begin = { fromPeriod: period, certificate: { ...certificate, validFrom: startOf(period, rule) } };
    try {
      return await add(store, options, begin);
    } catch (error) {
      const issued = error instanceof MikeySakkeError && error.code === "PERIOD_ISSUED";
      if (!issued || fromPeriod !== undefined || period - current >= MOST_AHEAD) throw error;
    }
  }
}

interface Begin {
  readonly fromPeriod: number;
  readonly certificate: Omit<KmsCertificate, "pubEncKey" | "pubAuthKey" | "certUri">;
  readonly first?: boolean;
  readonly replaceIssued?: boolean;
}

async function add(
  store: KmsStore,
  { core, random, now, actor }: Common,
  begin: Begin,
): Promise<MasterRecord> {
  const { certificate: rest, fromPeriod, ...options } = begin;
  const master = KmsMaster.generate(core, random);
  const secrets = master.exportSecrets();
  try {
    const keys = { pubEncKey: master.zt, pubAuthKey: master.kpak };
    const certificate = { ...rest, ...keys, certUri: certUriOf(rest.kmsUri, keys) };
    const added = { certificate, secrets, fromPeriod, createdAt: now };
    return await store.addMaster(added, { ...options, ...defined({ actor }) });
  } finally {
    wipe(secrets.z, secrets.ksak);
    master.destroy();
  }
}

/** A name for the certificate that follows from its keys, so that no two have the same. */
function certUriOf(kmsUri: string, keys: Pick<KmsCertificate, "pubEncKey" | "pubAuthKey">): string {
  const digest = createHash("sha256").update(keys.pubEncKey).update(keys.pubAuthKey).digest("hex");
  return `${kmsUri}#${digest.slice(0, 16)}`;
}

function periodAt(now: number, rule: KeyPeriodRule): number {
  return keyPeriodNo(ntpSeconds(ntpFromUnixMs(now)), rule);
}

function startOf(periodNo: number, rule: KeyPeriodRule): number {
  return ntpSecondsToUnixMs(keyPeriodStart(periodNo, rule));
}

function usage(code: ErrorCode, text: string): MikeySakkeError {
  return new MikeySakkeError("usage", code, text);
}
