/** What to do next after an error, by its stable code. */
import { MikeySakkeError } from "../bindings/errors.ts";

const HINTS: Readonly<Record<string, string>> = {
  FILE_EXISTS: "Choose another name, or add --force to replace it.",
  FILE_NOT_FOUND: "Check the path. It is relative to the current folder.",
  NO_INPUT: "Give a FILE, or pipe the message into the command.",
  KMS_KEY_ENCRYPTED: "Ask the KMS for keys without a transport key (TrK).",
  KMS_REFUSED: "The file holds a refusal of the KMS, not keys. Ask the KMS again.",
  TIME_OUTSIDE_WINDOW: "For a message from a file give its time with --at; `inspect` shows it as T.",
  KEY_PERIOD_NOT_CURRENT: "For a message from a file give its time with --at; `inspect` shows it as T.",
  NO_KEY_FOR_PERIOD: "Get the keys of that period: kms keyprov --at TIME.",
  NO_SIGNING_KEY: "Get the keys of the present period: kms keyprov.",
  UNKNOWN_INITIATOR_KMS: "Give the certificate of that KMS with --peer-cert.",
  HIDDEN_INITIATOR_UNKNOWN: "Give the initiator that the carrier named with --from.",
  KEY_SET_OF_OTHER_KMS: "Give the certificate of the KMS that issued the keys with --cert.",
  KEY_SET_UID_MISMATCH: "Keys and certificate do not belong together: ask the KMS for both again.",
  RSK_INVALID: "Keys and certificate do not belong together: ask the KMS for both again.",
  SSK_INVALID: "Keys and certificate do not belong together: ask the KMS for both again.",
  NOT_FOR_ME: "Give the keys of the member that the message is for with --keys.",
  RESPONDER_KMS_NOT_MINE: "Give the keys and the certificate of that KMS with --keys and --cert.",
};

export function nextStep(error: unknown): string | undefined {
  return error instanceof MikeySakkeError ? HINTS[error.code] : undefined;
}
