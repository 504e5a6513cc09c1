/** KMS Initialize (TS 33.180 D.2.3): the certificate of this KMS that is valid now. */
import { defined } from "../../../base/defined.ts";
import { newKeysFor } from "../common/transport-keys.ts";
import type { Procedure } from "./procedure.ts";

export const init: Procedure = async (exchange, tools) => {
  const certificate = tools.issuer.currentCertificate(exchange.now);
  const newKeys = await newKeysFor(exchange, tools);
  return { message: { type: "init", certificate, ...defined({ newKeys }) } };
};
