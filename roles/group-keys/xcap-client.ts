/** XCAP requests (RFC 4825) with an access token (TS 24.482), with limits on time and size. */
import { deadline } from "../../base/deadline.ts";
import { defined } from "../../base/defined.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { MEDIA } from "../../documents/group-xml/index.ts";
import { readAll } from "../../transport/http/body.ts";
import type { KmsFetchResponse } from "../../transport/http/exchange.ts";

/** The part of `fetch` that is used. */
export type XcapFetch = (url: string, init: XcapFetchInit) => Promise<KmsFetchResponse>;

export interface XcapFetchInit {
  readonly method: "GET" | "POST";
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly redirect: "manual";
  readonly credentials: "omit";
  readonly cache: "no-store";
  readonly referrerPolicy: "no-referrer";
  readonly signal: AbortSignal;
}

export interface XcapClientOptions {
  readonly fetch: XcapFetch;
  /** XCAP root URI (RFC 4825 6.1), with or without a slash at the end. */
  readonly xcapRoot: string;
  readonly token: () => Promise<string>;
  /** Milliseconds for one exchange. 10,000 when absent. */
  readonly timeoutMs?: number;
  /** Octets of an answer. 16 MiB when absent. */
  readonly maxBytes?: number;
}

/** gone: it does not exist, or is not for this user. */
export type XcapDocument =
  | { readonly state: "content"; readonly body: Uint8Array; readonly etag: string | undefined }
  | { readonly state: "unchanged" | "gone" };

/** An answer that is none of those expected. */
export class XcapRefusedError extends MikeySakkeError {
  readonly status: number;
  /** Milliseconds, from a Retry-After in seconds. */
  readonly retryAfter: number | undefined;

  constructor(path: string, status: number, retryAfter: number | undefined) {
    super("transport", "XCAP_REFUSED", `${path}: HTTP status ${status}`);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** 403 is not among them: it may be for the token (TS 24.482 A.2.3), and must not cost the user their keys. */
const GONE: ReadonlySet<number> = new Set([404, 410]);

export class XcapClient {
  readonly #options: XcapClientOptions;
  readonly #root: string;
  readonly #etags = new Map<string, string>();

  constructor(options: XcapClientOptions) {
    this.#options = options;
    this.#root = options.xcapRoot.replace(/\/$/, "");
  }

  /**
   * A document, unless it is still the version of `keep`.
   *
   * @throws {MikeySakkeError} transport `XCAP_UNREACHABLE`, `XCAP_TIMEOUT`, `XCAP_REDIRECT`, `XCAP_ANSWER_TOO_LARGE`,
   * `XCAP_REFUSED`; what `token` throws, or the reason of `signal`
   */
  async get(path: string, accept: string, signal: AbortSignal): Promise<XcapDocument> {
    const etag = this.#etags.get(path);
    const headers = { accept, ...defined({ "if-none-match": etag }) };
    const { response, body } = await this.#exchange(path, { method: "GET", headers }, signal);
    if (response.status === 304 && etag !== undefined) return { state: "unchanged" };
    if (GONE.has(response.status)) {
      this.#etags.delete(path);
      return { state: "gone" };
    }
    if (response.status !== 200) throw refused(path, response);
    return { state: "content", body, etag: response.headers.get("etag") ?? undefined };
  }

  /** Notes that a document was taken over: it is not sent again until it changes. */
  keep(path: string, etag: string | undefined): void {
    if (etag === undefined) this.#etags.delete(path);
    else this.#etags.set(path, etag);
  }

  /** The status, of an answer in the 200s or 400s. */
  async post(path: string, contentType: string, body: string, signal: AbortSignal): Promise<number> {
    const headers = { accept: MEDIA.xcapError, "content-type": contentType };
    const { response } = await this.#exchange(path, { method: "POST", headers, body }, signal);
    const { status } = response;
    if (status < 200 || (status > 299 && status < 400) || status > 499 || status === 401 || status === 429) {
      throw refused(path, response);
    }
    return status;
  }

  async #exchange(
    path: string,
    init: Pick<XcapFetchInit, "method" | "headers" | "body">,
    signal: AbortSignal,
  ): Promise<{ response: KmsFetchResponse; body: Uint8Array }> {
    const { fetch, token, timeoutMs = 10_000, maxBytes = 16 << 20 } = this.#options;
    const authorization = `Bearer ${await token()}`;
    signal.throwIfAborted();
    const end = deadline(timeoutMs, signal);
    try {
      const response = await end.race(
        fetch(`${this.#root}/${path}`, {
          ...init,
          headers: { ...init.headers, authorization },
          redirect: "manual",
          credentials: "omit",
          cache: "no-store",
          referrerPolicy: "no-referrer",
          signal: end.signal,
        }),
      );
      const { status, type } = response;
      // The token is for this server, and for no other.
      if (type === "opaqueredirect" || (status > 300 && status < 304) || (status > 304 && status < 400)) {
        throw failure("XCAP_REDIRECT", `${path}: a redirect, which is not followed`);
      }
      return { response, body: await readAll(response.body, maxBytes, "XCAP_ANSWER_TOO_LARGE", end.signal) };
    } catch (cause) {
      if (cause instanceof MikeySakkeError) throw cause;
      signal.throwIfAborted();
      if (end.isOver) throw failure("XCAP_TIMEOUT", `${path}: no answer within ${timeoutMs} ms`, cause);
      throw failure("XCAP_UNREACHABLE", `${path}: the server cannot be reached`, cause);
    } finally {
      end.release();
    }
  }
}

function refused(path: string, { status, headers }: KmsFetchResponse): XcapRefusedError {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return new XcapRefusedError(path, status, seconds >= 0 ? seconds * 1000 : undefined);
}

function failure(code: ErrorCode, message: string, cause?: unknown): MikeySakkeError {
  return new MikeySakkeError("transport", code, message, { cause });
}
