/** As whom a request goes to the server, and what proves it. */
import { AUTHORIZATION, type Headers } from "../../../transport/sip/index.ts";
import { prefer } from "../../identity/ims.ts";
import type { McxClientOptions } from "./options.ts";

type Options = Pick<McxClientOptions, "ims" | "userUri" | "token">;

export interface Sender {
  readonly from: string;
  readonly headers: (headers: Headers) => void;
}

/** In an IMS the core asserts who it is; elsewhere an access token does (RFC 8898). */
export async function senderOf({ ims, userUri, token }: Options): Promise<Sender> {
  if (ims === undefined) return { from: userUri, headers: await withToken(token) };
  return { from: ims.identity, headers: (headers) => prefer(headers, ims.identity) };
}

export async function withToken(token: () => Promise<string>): Promise<(headers: Headers) => void> {
  const value = { scheme: "Bearer", token: await token(), params: new Map<string, string>() };
  return (headers) => void headers.set(AUTHORIZATION, value);
}
