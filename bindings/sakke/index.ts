/** SAKKE, RFC 6508 with parameter set 1 of RFC 6509 appendix A. */
export {
  HINT_BYTES,
  MAX_IDENTIFIER_BYTES,
  SAKKE_POINT_BYTES,
  SED_BYTES,
  SSV_BYTES,
} from "./encoding.ts";
export { SakkePublicKey } from "./public-key.ts";
export { type Preparation, SakkeReceiver, type SakkeReceiverOptions } from "./receiver.ts";
