/** Reads the body of a request to a plain HTTP server. */
import type { IncomingMessage } from "node:http";
import { OctetBuffer } from "../../base/octet-buffer.ts";

/** Undefined for a body of more than `most` octets, of which no more is read. Rejects when the connection breaks off. */
export async function readBody(request: IncomingMessage, most: number): Promise<Uint8Array | undefined> {
  const body = new OctetBuffer();
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (body.length + chunk.length > most) return undefined;
    body.add(chunk);
  }
  return body.octets;
}
