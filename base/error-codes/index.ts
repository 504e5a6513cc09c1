/** Every code of a `MikeySakkeError` with what it means, for docs/errors.md. Errors refer to it by type only. */
import { CHECK_CODES } from "./checks.ts";
import { CLIENT_CODES } from "./clients.ts";
import { COMMAND_CODES } from "./command.ts";
import { DOCUMENT_CODES } from "./documents.ts";
import { GMS_CODES } from "./gms.ts";
import { KMS_CODES } from "./kms.ts";
import { LIBRARY_CODES } from "./library.ts";
import { MCX_CODES } from "./mcx.ts";
import { SERVER_CODES } from "./servers.ts";
import { STORE_CODES } from "./store.ts";
import { TRANSPORT_CODES } from "./transport.ts";

/** By area, in the order of docs/errors.md. */
export const AREAS = {
  "Checks of messages and key material": CHECK_CODES,
  "Values, keys and media": LIBRARY_CODES,
  "SIP and HTTP": TRANSPORT_CODES,
  "XML and other documents": DOCUMENT_CODES,
  "Databases and backups": STORE_CODES,
  Clients: CLIENT_CODES,
  "All servers": SERVER_CODES,
  KMS: KMS_CODES,
  GMS: GMS_CODES,
  "MCX server": MCX_CODES,
  "The command": COMMAND_CODES,
} as const;

export const ERROR_CODES = {
  ...CHECK_CODES,
  ...LIBRARY_CODES,
  ...TRANSPORT_CODES,
  ...DOCUMENT_CODES,
  ...STORE_CODES,
  ...CLIENT_CODES,
  ...SERVER_CODES,
  ...KMS_CODES,
  ...GMS_CODES,
  ...MCX_CODES,
  ...COMMAND_CODES,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Returns whether a text is a code of this version. A server of another version may have others. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}
