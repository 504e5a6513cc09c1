/**
 * The client side of the package: everything but the KMS's own arithmetic, which is the separate sub-path
 * "mikey-sakke/kms" so that no client bundle contains it.
 */
export { AEAD_IV_BYTES, AEAD_TAG_BYTES, aeadOpen, aeadSeal } from "./aead.ts";
export { concat, equal, fromBase64, fromHex, fromUtf8, toBase64, toHex, utf8, wipe } from "./bytes.ts";
export { CHECKS, type CheckCode } from "./checks.ts";
export { type Build, Core, type LoadOptions, load } from "./core.ts";
export {
  EccsiPublicKey,
  EccsiSigner,
  KPAK_BYTES,
  PVT_BYTES,
  SIGNATURE_BYTES,
  SSK_BYTES,
} from "./eccsi.ts";
export { type ErrorDetails, type ErrorKind, MikeySakkeError } from "./errors.ts";
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
} from "./kdf.ts";
export type { KeySet, KmsCertificate } from "./kms-material.ts";
export * from "./mikey/index.ts";
export { type RandomSource, systemRandom } from "./random.ts";
export {
  HINT_BYTES,
  type Preparation,
  SAKKE_POINT_BYTES,
  SakkePublicKey,
  SakkeReceiver,
  SED_BYTES,
  SSV_BYTES,
} from "./sakke.ts";
