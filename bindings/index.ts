/**
 * The client side of the package: everything but the KMS's own arithmetic, which is the separate sub-path
 * "mikey-sakke/kms" so that no client bundle contains it.
 */

export { concat, equal, fromBase64, fromHex, fromUtf8, toBase64, toHex, utf8, wipe } from "../base/bytes.ts";
export { CHECKS, type CheckCode } from "../base/checks.ts";
export { type ErrorCode, type ErrorDetails, type ErrorKind, MikeySakkeError } from "../base/errors.ts";
export { type RandomSource, systemRandom } from "../base/random.ts";
export { type Build, Core, type LoadOptions, load } from "./core/core.ts";
export {
  EccsiPublicKey,
  EccsiSigner,
  KPAK_BYTES,
  PVT_BYTES,
  SIGNATURE_BYTES,
  type SignedMessage,
  SSK_BYTES,
} from "./eccsi/index.ts";
export * from "./identity/index.ts";
export {
  deriveDpck,
  deriveSrtpMaster,
  deriveXmlConfidentialityKey,
  deriveXmlIntegrityKey,
  kdf,
  mikeyPrf,
  SRTP_MASTER_KEY_BYTES,
  SRTP_MASTER_SALT_BYTES,
  type SrtpKeyInput,
} from "./identity/kdf.ts";
export type { KeySet, KmsCertificate } from "./identity/kms-material.ts";
export * from "./mikey/index.ts";
export {
  HINT_BYTES,
  type Preparation,
  SAKKE_POINT_BYTES,
  SakkePublicKey,
  SakkeReceiver,
  SED_BYTES,
  SSV_BYTES,
} from "./sakke/index.ts";
export { AEAD_IV_BYTES, AEAD_TAG_BYTES, aeadOpen, aeadSeal } from "./symmetric/aead.ts";
