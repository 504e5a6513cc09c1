/** One POST to a KMS, with limits on time and size (TS 33.180 D.2.1). */
import { deadline } from "../../base/deadline.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { readAll } from "./body.ts";

/** The part of `fetch` that is used. */
export type KmsFetch = (url: string, init: KmsFetchInit) => Promise<KmsFetchResponse>;

export interface KmsFetchInit {
  readonly method: "POST";
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly redirect: "manual";
  readonly credentials: "omit";
  readonly cache: "no-store";
  readonly referrerPolicy: "no-referrer";
  readonly signal: AbortSignal;
}

export interface KmsFetchResponse {
  readonly status: number;
  readonly type?: string;
  readonly headers: { get(name: string): string | null };
  readonly body: ReadableStream<Uint8Array> | null;
}

export interface HttpAnswer {
  readonly status: number;
  /** May hold keys: the caller wipes it. */
  readonly body: Uint8Array;
  /** Milliseconds, from a Retry-After in seconds. */
  readonly retryAfter?: number;
}

export interface HttpLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/**
 * @throws {MikeySakkeError} transport `KMS_UNREACHABLE`, `KMS_TIMEOUT`, `KMS_REDIRECT`, `KMS_ANSWER_TOO_LARGE`;
 * whatever `signal` was aborted with
 */
export async function post(
  fetch: KmsFetch,
  url: string,
  { body, token }: { readonly body: string; readonly token: string },
  { timeoutMs, maxBytes }: HttpLimits,
  signal?: AbortSignal,
): Promise<HttpAnswer> {
  signal?.throwIfAborted();
  const end = deadline(timeoutMs, signal);
  try {
    const response = await end.race(
      fetch(url, {
        method: "POST",
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/xml",
          accept: "application/xml",
        },
        body,
        redirect: "manual",
        credentials: "omit",
        cache: "no-store",
        referrerPolicy: "no-referrer",
        signal: end.signal,
      }),
    );
    requireNoRedirect(response, url);
    const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
    return {
      status: response.status,
      body: await readAll(response.body, maxBytes, "KMS_ANSWER_TOO_LARGE", end.signal),
      ...(seconds >= 0 && { retryAfter: seconds * 1000 }),
    };
  } catch (cause) {
    if (cause instanceof MikeySakkeError) throw cause;
    signal?.throwIfAborted();
    if (end.isOver) throw failure("KMS_TIMEOUT", `${url}: no answer within ${timeoutMs} ms`, cause);
    throw failure("KMS_UNREACHABLE", `${url}: cannot be reached`, cause);
  } finally {
    end.release();
  }
}

/** ClientReqUrl names the resource that was posted to, and the token is for this KMS: no other gets them. */
function requireNoRedirect({ status, type }: KmsFetchResponse, url: string): void {
  if (type !== "opaqueredirect" && (status < 300 || status > 399)) return;
  throw failure("KMS_REDIRECT", `${url}: the KMS answered with a redirect, which is not followed`);
}

function failure(code: ErrorCode, message: string, cause?: unknown): MikeySakkeError {
  return new MikeySakkeError("transport", code, message, { cause });
}
