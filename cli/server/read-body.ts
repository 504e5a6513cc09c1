/** Reads the body of a request to a plain HTTP server. */
import type { IncomingMessage } from "node:http";

/** Undefined for a body of more than `most` octets, of which no more is read. Rejects when the connection breaks off. */
export async function readBody(request: IncomingMessage, most: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > most) return undefined;
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
