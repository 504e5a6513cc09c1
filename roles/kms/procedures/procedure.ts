/** The part that the request types have in common: an answer to a request that passed all checks. */
import type { KeySet } from "../../../bindings/identity/kms-material.ts";
import type { KmsMessage } from "../../../documents/kms-xml/index.ts";
import type { Exchange, Tools } from "../common/exchange.ts";

export interface Outcome {
  readonly message: KmsMessage;
  /** Given out with the message; wiped once it is written. */
  readonly keySets?: readonly KeySet[];
}

export type Procedure = (exchange: Exchange, tools: Tools) => Promise<Outcome>;
