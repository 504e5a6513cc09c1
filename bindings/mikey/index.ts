/** MIKEY-SAKKE I_MESSAGEs of TS 33.180: read, inspect, open and seal. */
export { type AcceptedMessage, acceptMessage, type OpenedMessage, type RevokedMessage } from "./accept.ts";
export { type SealedMessage, type SealKeys, sealSlice } from "./build.ts";
export { CS_IDS, SRTP_TYPES } from "./codes.ts";
export {
  type Authorise,
  authoriseAnyoneUnsafe,
  DEFAULT_PERIOD_OVERLAP,
  DEFAULT_WINDOW_MS,
  type InitiatorIdentity,
  type InitiatorSource,
  type OpenContext,
} from "./context.ts";
export { DeliveredKey, type DeliveredKeyFields } from "./delivered-key.ts";
export type { CryptoSession, Hdr } from "./hdr.ts";
export type { IMessage } from "./i-message.ts";
export { type InspectedSection, type Inspection, inspectMessage } from "./inspect.ts";
export { type KeyRecord, keyFingerprint, recordScope, updateRecord } from "./key-ledger.ts";
export {
  decodeKeyParameters,
  defaultKeyParameters,
  encodeKeyParameters,
  GROUP_ID_IEI,
  type GroupId,
  groupIds,
  type KeyParameters,
} from "./key-parameters.ts";
export {
  type ChainPayload,
  type DecodedMessage,
  decodeMessage,
  encodeMessage,
  MAX_MESSAGE_BYTES,
  type Payload,
} from "./message.ts";
export { openMessage } from "./open.ts";
export { type ParsedMessage, parseMessage } from "./parse.ts";
export type { Party } from "./party-identity.ts";
export {
  destroyPlan,
  KEY_BYTES,
  type Member,
  type PlanContext,
  type PlannedMember,
  planSeal,
  type SealOptions,
  type SealPlan,
  type SealRequest,
  type SrtpOffer,
} from "./plan.ts";
export {
  decodeProtectedPayload,
  encodeProtectedPayload,
  type ProtectedPayload,
  protect,
  unprotect,
} from "./protected-payload.ts";
export { type Field, Reader } from "./reader.ts";
export {
  MemoryReceiverState,
  type MemoryStateOptions,
  type ReceiverState,
  type SeenMessage,
} from "./receiver-state.ts";
export { DEFAULT_BATCH, type SealGroupOptions, sealGroup, sealMessage } from "./seal.ts";
export type { SpPayload, SrtpParameter } from "./sp.ts";
export {
  defaultParameters,
  GMK_PROFILE,
  PCK_PROFILE,
  profileOf,
  resolveProfile,
  type SrtpProfile,
} from "./srtp-profile.ts";
export type { Tolerance } from "./tolerance.ts";
export { type Recipient, type VerifiedMessage, verifyMessage } from "./verify.ts";
