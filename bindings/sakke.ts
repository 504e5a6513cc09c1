/** SAKKE, RFC 6508 with parameter set 1 of RFC 6509 appendix A. */
export {
  HINT_BYTES,
  MAX_IDENTIFIER_BYTES,
  SAKKE_POINT_BYTES,
  SED_BYTES,
  SSV_BYTES,
} from "./sakke/encoding.ts";
export { SakkePublicKey } from "./sakke/public-key.ts";
export { type Preparation, SakkeReceiver, type SakkeReceiverOptions } from "./sakke/receiver.ts";
