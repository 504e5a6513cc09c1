/**
 * The refusals of a KMS and the answers that say so. The standard defines neither HTTP status nor ErrorCode values, so
 * the code is the status and two digits. docs/kms.md has the same table.
 */
import { type ErrorCode, MikeySakkeError } from "../../../base/errors.ts";
import { TokenRefusal } from "../../server/token-refusal.ts";

interface Row {
  /** HTTP status. */
  readonly status: number;
  /** ErrorCode of the KmsError. */
  readonly errorCode: number;
  /** ErrorMsg, sent to the client; it reveals nothing that the client does not know. */
  readonly text: string;
}

const row = (errorCode: number, text: string): Row => ({
  status: Math.floor(errorCode / 100),
  errorCode,
  text,
});

export const REFUSALS = {
  BAD_REQUEST: row(40000, "the HTTP request is malformed"),
  BAD_XML: row(40001, "the request is not a well-formed KmsRequest"),
  SCHEMA: row(40002, "the request is not valid by the schema"),
  BAD_PATH: row(40003, "the path names no URI or time"),
  WRONG_KMS: row(40004, "KmsUri is not this KMS"),
  WRONG_REQUEST_URL: row(40005, "ClientReqUrl is not the resource that was asked for"),
  STALE_REQUEST: row(40006, "Time is too far from the KMS's clock"),
  KRR_MISSING: row(40007, "the request has no KrrList with KMS URIs"),
  TOKEN_MISSING: row(40101, "an access token is required"),
  TOKEN_INVALID: row(40102, "the access token is not accepted"),
  TOKEN_EXPIRED: row(40103, "the access token has expired"),
  WRONG_SCOPE: row(40301, "the access token has no scope for key management"),
  WRONG_IDENTITY: row(40302, "the access token does not prove this identity"),
  USER_UNKNOWN: row(40303, "the identity is not enrolled"),
  USER_REVOKED: row(40304, "the identity has been revoked"),
  PERIOD_NOT_ALLOWED: row(40305, "keys of this key period are not given out now"),
  SIGNATURE_REQUIRED: row(40306, "the request must be signed"),
  SIGNATURE_INVALID: row(40307, "the signature of the request is not accepted"),
  SIGNATURE_KEY: row(40308, "the request is not signed with the key that it must be signed with"),
  TRANSPORT_KEY_REQUIRED: row(40309, "keys are given out wrapped with a TrK only"),
  TRANSPORT_KEY_UNKNOWN: row(40310, "the TrK-ID is not that of a key in use"),
  REPLAYED: row(40311, "the request was received before"),
  KMS_NOT_ALLOWED: row(40312, "none of the KMSs may be used"),
  NOT_FOUND: row(40401, "no such resource"),
  NO_CERTIFICATE: row(40402, "no certificate of this KMS is known"),
  METHOD: row(40501, "requests are made with POST"),
  TOO_LARGE: row(41301, "the request is too large"),
  ENCODING: row(41501, "compressed requests are not accepted"),
  INTERNAL: row(50001, "the KMS failed"),
  TOKENS_UNAVAILABLE: row(50301, "access tokens cannot be checked at present"),
  BUSY: row(50302, "the KMS is busy"),
} as const satisfies Record<string, Row>;

export type RefusalCode = keyof typeof REFUSALS;

/** A refusal with its place in the table. `detail` is for the log and the audit log, never for the answer. */
export class KmsRefusal extends MikeySakkeError {
  declare readonly code: RefusalCode;
  readonly status: number;
  readonly errorCode: number;
  readonly text: string;
  readonly detail: string | undefined;

  constructor(code: RefusalCode, detail?: string, cause?: unknown) {
    const { status, errorCode, text } = REFUSALS[code];
    super("transport", code, detail === undefined ? text : `${text}: ${detail}`, { cause });
    this.status = status;
    this.errorCode = errorCode;
    this.text = text;
    this.detail = detail;
  }
}

/** Errors of the rooms below that are the fault of the request; all others are the KMS's own. */
const BY_CODE: Partial<Record<ErrorCode, RefusalCode>> = {
  USER_REVOKED: "USER_REVOKED",
  USER_UNKNOWN: "USER_UNKNOWN",
  NO_MASTER: "PERIOD_NOT_ALLOWED",
  MASTER_REVOKED: "PERIOD_NOT_ALLOWED",
  TRANSPORT_KEY_RETIRED: "TRANSPORT_KEY_UNKNOWN",
  XML_SCHEMA: "SCHEMA",
  XML_TOO_LARGE: "TOO_LARGE",
  XML_SIGNATURE_KEY: "SIGNATURE_KEY",
};

/** Any error as a refusal. */
export function refusalOf(error: unknown): KmsRefusal {
  if (error instanceof KmsRefusal) return error;
  if (error instanceof TokenRefusal) return new KmsRefusal(error.code, error.detail, error);
  if (!(error instanceof MikeySakkeError)) {
    return new KmsRefusal("INTERNAL", error instanceof Error ? error.message : String(error), error);
  }
  const detail = `${error.code}: ${error.message}`;
  const known = BY_CODE[error.code];
  if (known !== undefined) return new KmsRefusal(known, detail, error);
  if (error.code.startsWith("XML_SIGNATURE_")) return new KmsRefusal("SIGNATURE_INVALID", detail, error);
  if (error.kind === "codec") return new KmsRefusal("BAD_XML", detail, error);
  return new KmsRefusal("INTERNAL", detail, error);
}
