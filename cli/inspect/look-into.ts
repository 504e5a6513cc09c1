/** Recognises what an input is: one I_MESSAGE in some form, or something that may hold several. */
import { fromUtf8 } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { decodeMessageInput, type MessageInput } from "../files/message-input.ts";
import { type CapturedFrame, framesOf, isCapture } from "./capture.ts";
import { type Content, contentOf, isSip } from "./content.ts";
import { readHexDump } from "./hex-dump.ts";
import { type Flow, flowsOf } from "./network.ts";

export type Found =
  | { readonly message: MessageInput }
  | {
      readonly message?: undefined;
      readonly form: string;
      readonly contents: readonly Content[];
      /** The frames of a capture. */
      readonly frames?: readonly CapturedFrame[];
    };

/** @throws {MikeySakkeError} codec `BAD_CAPTURE`, `UNKNOWN_FORM` */
export function lookInto(input: Uint8Array): Found {
  if (isCapture(input)) {
    const frames = framesOf(input);
    return { form: "capture", contents: flowsOf(frames).map(ofFlow), frames };
  }
  // A part of it may be a message, which is no text.
  if (/^--[^\s-][^\r\n]*\r?\n[A-Za-z-]+:/.test(latin(input))) return whole("multipart", input);
  const text = textOf(input);
  if (text === undefined)
    return isSip(input) ? whole("SIP", input) : ofDecoded({ form: "raw", octets: input });
  const dumped = readHexDump(text);
  if (dumped !== undefined) return ofDecoded({ form: "hex", octets: dumped });
  if (isSip(input)) return whole("SIP", input);
  if (/^\s*</.test(text)) return whole("XML", input);
  if (/^v=0\r?\n/.test(text)) return whole("SDP", input);
  return ofDecoded(decodeMessageInput(input));
}

/** Hexadecimal and base64 may be of other things than a message; what is nothing known is judged as a message. */
function ofDecoded(decoded: MessageInput): Found {
  const { octets, form } = decoded;
  if (isSip(octets) || /^\s*(?:<[?a-zA-Z]|v=0\r?\n)/.test(latin(octets))) {
    return whole(form, octets);
  }
  return { message: decoded };
}

/** A file may hold several SIP messages, one after the other. */
function whole(form: string, octets: Uint8Array): Found {
  const lengths =
    form !== "XML" && /^content-length|^l[ \t]*:/im.test(new TextDecoder("latin1").decode(octets));
  return { form, contents: [contentOf(octets, isSip(octets) && lengths ? "stream" : "datagram")] };
}

function ofFlow({ protocol, from, to, time, octets }: Flow): Content {
  const { what, ...rest } = contentOf(octets, protocol === "tcp" ? "stream" : "datagram");
  const at = time === undefined ? "" : `${new Date(time).toISOString()}  `;
  return { what: `${at}${protocol.toUpperCase()} ${from} to ${to}: ${what}`, ...rest };
}

/** The beginning as text. */
function latin(octets: Uint8Array): string {
  return new TextDecoder("latin1").decode(octets.subarray(0, 400));
}

function textOf(input: Uint8Array): string | undefined {
  try {
    return fromUtf8(input);
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
    return undefined;
  }
}
