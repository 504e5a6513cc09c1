/** `fetch` from hosts whose certificate is of an authority that the system does not know. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { Readable } from "node:stream";

/**
 * Takes the URL of a GET, its headers and its signal. Reads the file at each request, so that one that was renewed counts from
 * the next request on. For requests that are rare: no connection is kept. An answer other than 200 has no body.
 *
 * @param caFile PEM file of the certificates to trust in place of the system's
 */
export function fetchTrusting(caFile: string): typeof globalThis.fetch {
  const trusting = async (url: string, { headers, signal }: Asked = {}) => {
    const request = get(url, { ca: await readFile(caFile), headers, signal, agent: false });
    // What breaks off after the answer has begun is an error of its body.
    request.on("error", () => undefined);
    const [response]: IncomingMessage[] = await once(request, "response");
    const { statusCode: status } = response!;
    if (status === 200) return new Response(Readable.toWeb(response!) as ReadableStream);
    response!.resume();
    return new Response(null, { status: status! });
  };
  return trusting as typeof globalThis.fetch;
}

interface Asked {
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}
