/**
 * Seals a slice of a plan: one I_MESSAGE per member (TS 33.180 E.1 to E.7). The costly steps go over the whole
 * slice at once: encapsulation per KMS, then the signatures. Runs where the initiator's keys are, e.g. in a
 * worker; apart from its random values the result depends on the plan only.
 */

import { concat, utf8, wipe } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";
import { domainAt } from "../identity/domain-set.ts";
import type { Initiator } from "../identity/initiator.ts";
import type { KmsDomain } from "../identity/kms-domain.ts";
import { type NtpTime, ntpFold, ntpSeconds, ntpToUnixMs, ntpUnfold } from "../identity/ntp.ts";
import { isDiversified, type KeyId, keyIdToBytes } from "../identity/purpose-tag.ts";
import { AEAD_IV_BYTES } from "../symmetric/aead.ts";
import {
  DATA_TYPE_SAKKE,
  ID_ROLES,
  MAP_EMPTY,
  MAP_GENERIC_ID,
  PRF_HMAC_SHA_256,
  PROT_SRTP,
  TS_NTP_UTC,
} from "./codes.ts";
import { keyParametersExtension, sakkeToSelf } from "./general-extension.ts";
import type { CryptoSession, Hdr } from "./hdr.ts";
import { idr } from "./idr.ts";
import { encodeKeyParameters } from "./key-parameters.ts";
import { type ChainPayload, encodeUnsigned } from "./message.ts";
import type { PlannedMember, SealPlan } from "./plan.ts";
import { protect } from "./protected-payload.ts";
import { sakke } from "./sakke.ts";
import { eccsiSignHeader } from "./sign.ts";

export interface SealedMessage {
  /** The member that the message is for. */
  readonly uri: string;
  readonly kmsUri: string;
  /** GUK-ID for a GMK, else the K-ID. */
  readonly csbId: KeyId;
  readonly time: NtpTime;
  readonly octets: Uint8Array;
}

export interface SealKeys {
  readonly initiator: Initiator;
  /** Domains of all members, of a KMS with several certificates each; the initiator's own need not be among them. */
  readonly domains: readonly KmsDomain[];
  readonly random: RandomSource;
}

/**
 * Messages of the members from index `start` up to `end`, in order.
 *
 * @throws MikeySakkeError usage: unknown KMS of a member, no signing key for the period of T, other initiator
 */
export async function sealSlice(
  plan: SealPlan,
  keys: SealKeys,
  start = 0,
  end = plan.members.length,
): Promise<SealedMessage[]> {
  const { initiator } = keys;
  if (initiator.uri !== plan.initiatorUri || initiator.kmsUri !== plan.initiatorKmsUri) {
    throw new MikeySakkeError(
      "usage",
      "OTHER_INITIATOR",
      `plan of ${plan.initiatorUri}, keys of ${initiator.uri}`,
    );
  }
  const members = plan.members.slice(start, end);
  if (members.length === 0) return [];
  const { uid: initiatorUid, signer, domain } = initiator.keyAt(plan.time);
  const receivers = encapsulate(plan, members, keys);
  const own = plan.toSelf ? domain.encryption.encapsulate(initiatorUid, plan.key) : undefined;
  const parameters = await protectParameters(plan, members, keys.random);
  const signHeader = eccsiSignHeader();
  const unsigned = members.map((member, i) => {
    const payloads = chain(plan, member, ntpFold(ntpUnfold(plan.time) + BigInt(start + i)), {
      initiatorUid,
      receiver: receivers[i]!,
      own,
      parameters: parameters?.[i],
    });
    return encodeUnsigned(header(plan, member), payloads, signHeader);
  });
  const signatures = signer.signBatch(unsigned, keys.random);
  return members.map((member, i) => ({
    ...member,
    time: ntpFold(ntpUnfold(plan.time) + BigInt(start + i)),
    octets: concat(unsigned[i]!, signatures[i]!),
  }));
}

interface Receiver {
  readonly uid: Uint8Array;
  readonly sed: Uint8Array;
}

/** One batch per KMS, since each KMS has its own Z_T; the receiver's key period is that of T (5.2.2). */
function encapsulate(plan: SealPlan, members: readonly PlannedMember[], keys: SealKeys): Receiver[] {
  const seconds = ntpSeconds(plan.time);
  const result: Receiver[] = new Array(members.length);
  for (const kmsUri of new Set(members.map((m) => m.kmsUri))) {
    const domain = domainOf(kmsUri, keys, plan.time);
    const periodNo = domain.keyPeriodNo(seconds);
    const indices = members.flatMap((m, i) => (m.kmsUri === kmsUri ? [i] : []));
    const uids = indices.map((i) => domain.uid(members[i]!.uri, periodNo));
    const seds = domain.encryption.encapsulateBatch(uids, plan.key);
    indices.forEach((index, i) => {
      result[index] = { uid: uids[i]!, sed: seds[i]! };
    });
  }
  return result;
}

function domainOf(kmsUri: string, { initiator, domains }: SealKeys, time: NtpTime): KmsDomain {
  const domain = domainAt([...initiator.domains, ...domains], kmsUri, ntpToUnixMs(time));
  if (domain === undefined) {
    throw new MikeySakkeError("usage", "UNKNOWN_KMS", `KMS ${kmsUri}: no certificate of it at hand`);
  }
  return domain;
}

/** Encrypted under the key that the message delivers, for each CSB-ID anew (E.6.1). */
async function protectParameters(
  plan: SealPlan,
  members: readonly PlannedMember[],
  random: RandomSource,
): Promise<Uint8Array[] | undefined> {
  if (plan.parameters === undefined) return undefined;
  const content = encodeKeyParameters(plan.parameters);
  // One draw for all: a call of the host's generator costs more than its octets.
  const ivs = random(AEAD_IV_BYTES * members.length);
  const iv = (i: number) => ivs.subarray(i * AEAD_IV_BYTES, (i + 1) * AEAD_IV_BYTES);
  try {
    return await Promise.all(
      members.map((m, i) =>
        protect(plan.key, m.csbId, content, { dateTime: plan.parametersDate, iv: iv(i) }),
      ),
    );
  } finally {
    wipe(content);
  }
}

/** E.1.2: no crypto session means the default profile; an explicit profile needs the GENERIC-ID map. */
function header(plan: SealPlan, member: PlannedMember): Hdr {
  const sessions = plan.srtp?.sessions.map((s): CryptoSession => {
    const mki = keyIdToBytes(plan.keyId);
    return {
      csId: s.csId,
      protType: PROT_SRTP,
      hasRoc: false,
      policies: [POLICY_NO],
      sessionData: s.ssrc ?? new Uint8Array(0),
      spi: isDiversified(plan.kind) ? concat(mki, keyIdToBytes(member.csbId)) : mki,
    };
  });
  return {
    version: 1,
    dataType: DATA_TYPE_SAKKE,
    v: false,
    prf: PRF_HMAC_SHA_256,
    csbId: member.csbId,
    mapType: sessions === undefined ? MAP_EMPTY : MAP_GENERIC_ID,
    csCount: sessions?.length ?? 0,
    sessions: sessions ?? [],
  };
}

const POLICY_NO = 0;

/** The payloads between HDR and SIGN in the order of E.1.2. */
function chain(
  plan: SealPlan,
  member: PlannedMember,
  time: NtpTime,
  parts: {
    initiatorUid: Uint8Array;
    receiver: Receiver;
    own: Uint8Array | undefined;
    parameters: Uint8Array | undefined;
  },
): ChainPayload[] {
  const payloads: ChainPayload[] = [
    { payload: "T", tsType: TS_NTP_UTC, value: time },
    { payload: "RAND", rand: plan.rand },
    plan.hideInitiator
      ? idr(ID_ROLES.INITIATOR_UID, parts.initiatorUid)
      : idr(ID_ROLES.INITIATOR, utf8(plan.initiatorUri)),
    plan.hideResponder
      ? idr(ID_ROLES.RESPONDER_UID, parts.receiver.uid)
      : idr(ID_ROLES.RESPONDER, utf8(member.uri)),
    idr(ID_ROLES.INITIATOR_KMS, utf8(plan.initiatorKmsUri)),
    idr(ID_ROLES.RESPONDER_KMS, utf8(member.kmsUri)),
  ];
  if (plan.srtp) {
    const { parameters } = plan.srtp;
    payloads.push({ payload: "SP", policyNo: POLICY_NO, protType: PROT_SRTP, parameters });
  }
  payloads.push(sakke(parts.receiver.sed));
  if (parts.own) payloads.push(sakkeToSelf(sakke(parts.own)));
  if (parts.parameters) payloads.push(keyParametersExtension(parts.parameters));
  return payloads;
}
