/** SIP in WebSocket frames (RFC 7118 5): one message a frame, text or binary, any octet in either direction. */
import { utf8 } from "../../../base/bytes.ts";

/** RFC 7118 4: the name in Sec-WebSocket-Protocol. */
export const SUBPROTOCOL = "sip";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** RFC 7118 5: text where the whole message is UTF-8, which every peer reads; binary where it is not. */
export function toFrame(bytes: Uint8Array): string | Uint8Array {
  try {
    return decoder.decode(bytes);
  } catch {
    return bytes;
  }
}

/** The octets of a frame; for a keep-alive of empty lines what it is (RFC 7118 6, RFC 5626 4.4.1). */
export function fromFrame(data: string | ArrayBuffer | Uint8Array): Uint8Array | "ping" | "pong" {
  const bytes =
    typeof data === "string" ? utf8(data) : data instanceof Uint8Array ? data : new Uint8Array(data);
  if (bytes.some((octet) => octet !== 13 && octet !== 10)) return bytes;
  return bytes.length >= 4 ? "ping" : "pong";
}
