/** The access token in a request (RFC 8898). */
import { AUTHORIZATION, type Headers } from "../../../transport/sip/index.ts";

export async function withToken(token: () => Promise<string>): Promise<(headers: Headers) => void> {
  const value = { scheme: "Bearer", token: await token(), params: new Map<string, string>() };
  return (headers) => void headers.set(AUTHORIZATION, value);
}
