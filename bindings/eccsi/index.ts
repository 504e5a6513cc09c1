/** ECCSI, RFC 6507 on P-256 with SHA-256 as RFC 6509 uses it. */
export { KPAK_BYTES, PVT_BYTES, SIGNATURE_BYTES, SSK_BYTES } from "./encoding.ts";
export { EccsiPublicKey, type SignedMessage } from "./public-key.ts";
export { EccsiSigner } from "./signer.ts";
