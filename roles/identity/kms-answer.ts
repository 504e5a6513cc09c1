/** The answers of a KMS to a client, and its refusals. */
import { MikeySakkeError } from "../../base/errors.ts";
import type { KmsErrorInfo, KmsMessage, KmsResponse } from "../../documents/kms-xml/index.ts";

/** An answer that fits its request. What it says of keys and certificates has not been checked yet. */
export interface KmsAnswer<M extends KmsMessage = KmsMessage> {
  readonly message: M;
  readonly response: KmsResponse;
  /** Id of the InK or TrK whose signature was verified. */
  readonly signedWith?: string;
  /** TrK-ID, when all secrets in it were wrapped. */
  readonly wrappedWith?: string;
}

export interface RefusalFacts {
  /** HTTP status. */
  readonly status: number;
  /** Absent when the answer is no KmsResponse, such as that of a proxy. */
  readonly error?: KmsErrorInfo;
  /** Whether the refusal was signed with the client's InK or TrK; otherwise anyone on the way may have made it. */
  readonly authentic: boolean;
  /** Milliseconds to wait, when the KMS says so. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/** The KMS answered with a KmsError (D.3.1), or with a status that is not 200. */
export class KmsRefusedError extends MikeySakkeError {
  readonly status: number;
  readonly errorCode: number | undefined;
  readonly authentic: boolean;
  readonly retryAfter: number | undefined;

  constructor({ status, error, authentic, retryAfter, cause }: RefusalFacts) {
    const text = error === undefined ? "" : ` and error ${error.errorCode}: ${error.errorMsg}`;
    super("transport", "KMS_REFUSED", `the KMS answered with HTTP ${status}${text}`, { cause });
    this.status = status;
    this.errorCode = error?.errorCode;
    this.authentic = authentic;
    this.retryAfter = retryAfter;
  }
}
