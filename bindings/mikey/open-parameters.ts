/** Decrypts and checks the key parameters of a received message (TS 33.180 5.2.4, E.6). */
import { wipe } from "../../base/bytes.ts";
import { refusal } from "../../base/checks.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import type { OpenContext } from "./context.ts";
import { decodeKeyParameters, decodeUnprotectedParameters, type KeyParameters } from "./key-parameters.ts";
import type { ParsedMessage } from "./parse.ts";
import {
  decodeProtectedPayload,
  isUnprotectedForm,
  type ProtectedPayload,
  unprotect,
} from "./protected-payload.ts";
import { Reader } from "./reader.ts";
import type { Tolerance } from "./tolerance.ts";

/** Undefined when the message carries no parameters. Checks 45 to 51. */
export async function openKeyParameters(
  key: Uint8Array,
  message: ParsedMessage,
  context: OpenContext,
): Promise<KeyParameters | undefined> {
  const data = message.keyParameters;
  if (data === undefined) {
    if (context.requireParameters) throw refusal("KEY_PARAMETERS_MISSING", "key parameters: missing");
    return undefined;
  }
  const parameters = await decrypt(key, data, message, context.tolerance ?? {});
  if (parameters.kind !== message.kind) {
    throw refusal("KEY_TYPE_MISMATCH", `key type ${parameters.kind}: the CSB ID says ${message.kind}`);
  }
  if (parameters.expiry !== 0 && parameters.expiry < parameters.activation) {
    throw refusal("BAD_KEY_PARAMETERS", "key parameters: expiry lies before activation");
  }
  return parameters;
}

/**
 * Checks 62 and 63. A revocation is taken whatever groups it names: it only takes something away, and its sender must
 * own the identifier.
 */
export function checkGroups(
  parameters: KeyParameters | undefined,
  message: ParsedMessage,
  { expectsGroup }: OpenContext,
): void {
  if (message.kind !== "GMK" || expectsGroup === undefined || parameters?.revoked) return;
  const groups = parameters?.groups ?? [];
  if (groups.length === 0) throw refusal("GROUP_IDS_MISSING", "key parameters: a GMK without group IDs");
  if (groups.some(({ uri }) => expectsGroup(uri))) return;
  throw refusal("GROUP_NOT_EXPECTED", "key parameters: none of the groups is one that keys are expected of");
}

async function decrypt(
  key: Uint8Array,
  data: Uint8Array,
  message: ParsedMessage,
  tolerance: Tolerance,
): Promise<KeyParameters> {
  if (isUnprotectedForm(data)) {
    if (!tolerance.unprotectedParameters) {
      throw refusal("UNPROTECTED_PARAMETERS", "key parameters: in the clear");
    }
    return decodeUnprotectedParameters(data, tolerance);
  }
  const envelope = readEnvelope(data);
  if (envelope.dppkId !== message.csbId) {
    throw refusal("PROTECTION_KEY_MISMATCH", "key parameters: DPPK-ID is not the CSB ID of the message");
  }
  const plaintext = await unprotect(key, envelope, tolerance);
  try {
    return decodeKeyParameters(plaintext, tolerance);
  } finally {
    wipe(plaintext);
  }
}

function readEnvelope(data: Uint8Array): ProtectedPayload {
  try {
    return decodeProtectedPayload(new Reader(data));
  } catch (cause) {
    if (!(cause instanceof MikeySakkeError)) throw cause;
    throw refusal("BAD_PROTECTED_PAYLOAD", `protected payload: ${cause.message}`, { cause });
  }
}
