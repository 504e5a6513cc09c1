/** `fetch` from hosts whose certificate is of an authority that the system does not know. */
import { readFile } from "node:fs/promises";
import { Agent, fetch } from "undici";

/**
 * Reads the file at each request, so that one that was renewed counts from the next request on. For requests that are rare:
 * no connection is kept.
 *
 * @param caFile PEM file of the certificates to trust in place of the system's
 */
export function fetchTrusting(caFile: string): typeof globalThis.fetch {
  const trusting = async (input: string, init: object = {}) => {
    const agent = new Agent({ connect: { ca: await readFile(caFile, "utf8") } });
    const response = await fetch(input, { ...init, dispatcher: agent }).catch((error: unknown) => {
      void agent.destroy();
      throw error;
    });
    // Ends with the answer.
    void agent.close();
    return response;
  };
  return trusting as unknown as typeof globalThis.fetch;
}
