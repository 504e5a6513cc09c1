/** Identities: UID, key periods, key identifiers, and the parties that hold keys. */
export { applyUserSalt, computeGukId, recoverGmkId } from "./guk-id.ts";
export { Initiator, type SigningKey } from "./initiator.ts";
export {
  type KeyPeriodRule,
  keyPeriodEnd,
  keyPeriodNo,
  keyPeriodStart,
  keyPeriodsAround,
} from "./key-period.ts";
export { KmsDomain } from "./kms-domain.ts";
export {
  NTP_UNIX_OFFSET,
  type NtpTime,
  ntpFold,
  ntpFromUnixMs,
  ntpSeconds,
  ntpSecondsToUnixMs,
  ntpToUnixMs,
  ntpUnfold,
} from "./ntp.ts";
export {
  drawKeyId,
  formatKeyId,
  isDiversified,
  KEY_KINDS,
  type KeyId,
  type KeyKind,
  keyIdFromBytes,
  keyIdToBytes,
  keyKind,
  PURPOSE_TAGS,
  purposeTag,
} from "./purpose-tag.ts";
export { type DecryptionKey, Receiver, type ReceiverOptions } from "./receiver.ts";
export { computeUid, shortestInteger, UID_BYTES, type UidInput } from "./uid.ts";
export { userSalt, userSalts } from "./user-salt.ts";
