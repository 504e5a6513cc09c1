/**
 * KMS Upload of redirect responses (TS 33.180 D.2.8): of the KMSs that they propose, those that the client may use. Who
 * signed a redirect response does not matter for that: it proposes, the operator permits.
 */
import { KmsRefusal } from "../common/errors.ts";
import { permittedKmss } from "./lookup.ts";
import type { Procedure } from "./procedure.ts";

export const redirect: Procedure = async ({ request }, tools) => {
  const proposed = request?.krrKmsUris ?? [];
  if (proposed.length === 0) throw new KmsRefusal("KRR_MISSING");
  const permitted = await permittedKmss(tools);
  const kmsUris = proposed.filter((uri) => permitted.includes(uri));
  if (kmsUris.length === 0) throw new KmsRefusal("KMS_NOT_ALLOWED", proposed.join(" "));
  return { message: { type: "lookup", kmsUris } };
};
