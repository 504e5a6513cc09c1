/**
 * Remembers where each access token of SIP was first seen. Nothing ties a bearer token to a request, so that whoever
 * records one on a transport without encryption could send it again; there it counts from the address only that it first
 * came from. By way of a trusted proxy it counts for the IMS identity only that the proxy asserted first.
 */
import { createHash } from "node:crypto";
import { type Flow, uriKey } from "../../transport/sip/index.ts";
import { Networks } from "./networks.ts";

/** The oldest are forgotten. */
const MAX_TOKENS = 20_000;

export class TokenSources {
  /** Hosts, or IMS identities, by the digest of the token, the oldest first. */
  readonly #sources = new Map<string, string>();
  readonly #proxies: Networks;

  /** Trusted proxies bring the requests of many, each perhaps by way of another proxy than before. */
  constructor(trustedProxies: readonly string[]) {
    this.#proxies = new Networks(trustedProxies);
  }

  /** Returns whether a flow is that of a proxy that is trusted. */
  trusts({ remote }: Flow): boolean {
    return this.#proxies.has(remote.host);
  }

  /**
   * Returns whether a verified token counts on this flow.
   *
   * @param asserted what a trusted proxy says of its sender
   */
  permits(token: string, flow: Flow, asserted?: string): boolean {
    const isProxied = this.trusts(flow);
    if (isProxied && asserted === undefined) return true;
    const source = isProxied ? uriKey(asserted!) : flow.remote.host;
    const digest = createHash("sha256").update(token).digest("base64");
    const known = this.#sources.get(digest);
    if (known !== undefined) return known === source;
    // What is encrypted nobody records.
    if (!isProxied && (flow.transport === "TLS" || flow.transport === "WSS")) return true;
    this.#sources.set(digest, source);
    if (this.#sources.size > MAX_TOKENS) this.#sources.delete(this.#sources.keys().next().value!);
    return true;
  }
}
