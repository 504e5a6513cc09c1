/** A SIP message as text and octets, without any check of it. */

export interface MessageParts {
  /** Up to the empty line, without it. Each octet is a character. */
  readonly head: string;
  readonly body: Uint8Array;
}

export function messageParts(message: Uint8Array): MessageParts {
  const end = Buffer.from(message).indexOf("\r\n\r\n");
  if (end < 0) return { head: Buffer.from(message).toString("latin1"), body: new Uint8Array(0) };
  return { head: Buffer.from(message.subarray(0, end)).toString("latin1"), body: message.subarray(end + 4) };
}

export function joinParts({ head, body }: MessageParts): Uint8Array {
  return Uint8Array.from(Buffer.concat([Buffer.from(`${head}\r\n\r\n`, "latin1"), body]));
}

/** Replaces the body, and writes its length into the head. */
export function withBody({ head }: MessageParts, body: Uint8Array, contentType?: string): MessageParts {
  const lines = head.split("\r\n").filter((line) => !/^(?:Content-Length|l) *:/i.test(line));
  const typed =
    contentType === undefined
      ? lines
      : lines.map((line) => (/^(?:Content-Type|c) *:/i.test(line) ? `Content-Type: ${contentType}` : line));
  return { head: [...typed, `Content-Length: ${body.length}`].join("\r\n"), body };
}

/** The lines of a head with the first one; those that match are written anew, or left out where that gives nothing. */
export function editLines(head: string, name: RegExp, edit: (line: string) => string | undefined): string {
  return head
    .split("\r\n")
    .map((line) => (name.test(line) ? edit(line) : line))
    .filter((line) => line !== undefined)
    .join("\r\n");
}
