/** The forms in which an I_MESSAGE comes: raw octets, hexadecimal, base64, or `mikey <base64>` (RFC 4567 3.1). */
import { fromBase64, fromHex, fromUtf8 } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";

/** Octets of an input file: a message of the most octets that the codec takes, in hexadecimal and lines. */
export const MAX_INPUT = 256 * 1024;

/** The name that `seal` gives to a message in raw octets. */
export const MESSAGE_EXTENSION = ".mikey";
/** The endings of files that count as messages in a folder. */
export const MESSAGE_EXTENSIONS: readonly string[] = [MESSAGE_EXTENSION, ".b64", ".hex"];

export type MessageForm = "raw" | "hex" | "base64" | "mikey";

export interface MessageInput {
  readonly form: MessageForm;
  readonly octets: Uint8Array;
}

/** Also takes a whole SDP attribute line, `a=key-mgmt:mikey <base64>`. */
const KEY_MGMT = /^(?:a=)?(?:key-mgmt:)?\s*mikey\s+/i;

/**
 * Finds the form by looking. Text of hex digits alone is hexadecimal: as base64 it would decode to no MIKEY
 * header, since version 1 makes base64 begin with "AR".
 *
 * @throws {MikeySakkeError} codec `UNKNOWN_FORM`
 */
export function decodeMessageInput(input: Uint8Array): MessageInput {
  if (!isText(input)) return { form: "raw", octets: input };
  const text = fromUtf8(input).trim();
  const prefix = KEY_MGMT.exec(text)?.[0] ?? "";
  const body = text.slice(prefix.length).replace(/\s+/g, "");
  if (body === "") throw new MikeySakkeError("codec", "UNKNOWN_FORM", "the input is empty");
  try {
    if (prefix !== "") return { form: "mikey", octets: fromBase64(body) };
    if (/^(?:[0-9a-fA-F]{2})+$/.test(body)) return { form: "hex", octets: fromHex(body) };
    return { form: "base64", octets: fromBase64(body) };
  } catch (cause) {
    throw new MikeySakkeError(
      "codec",
      "UNKNOWN_FORM",
      `the input is neither raw MIKEY nor hexadecimal, base64 or "mikey <base64>"`,
      { cause },
    );
  }
}

/** Printable ASCII and white space. A raw message begins with the octet 01, which is neither. */
function isText(octets: Uint8Array): boolean {
  return octets.every((o) => (o >= 0x20 && o < 0x7f) || o === 0x09 || o === 0x0a || o === 0x0d);
}
