/** One POST to a KMS, with limits on time and size (TS 33.180 D.2.1). */
import { concat, wipe } from "../../bindings/bytes.ts";
import { MikeySakkeError } from "../../bindings/errors.ts";

/** What is used of `fetch`. */
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
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
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
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    requireNoRedirect(response, url);
    const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
    return {
      status: response.status,
      body: await readAll(response.body, maxBytes, "KMS_ANSWER_TOO_LARGE"),
      ...(seconds >= 0 && { retryAfter: seconds * 1000 }),
    };
  } catch (cause) {
    if (cause instanceof MikeySakkeError) throw cause;
    signal?.throwIfAborted();
    if (timeout.aborted) throw failure("KMS_TIMEOUT", `${url}: no answer within ${timeoutMs} ms`, cause);
    throw failure("KMS_UNREACHABLE", `${url}: cannot be reached`, cause);
  }
}

/** ClientReqUrl names the resource that was posted to, and the token is for this KMS: no other gets them. */
function requireNoRedirect({ status, type }: KmsFetchResponse, url: string): void {
  if (type !== "opaqueredirect" && (status < 300 || status > 399)) return;
  throw failure("KMS_REDIRECT", `${url}: the KMS answered with a redirect, which is not followed`);
}

/** The body of an answer. Throws a transport error with that code when it is longer than `maxBytes`. */
export async function readAll(
  stream: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  code: string,
): Promise<Uint8Array> {
  if (stream === null) return new Uint8Array();
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  try {
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return concat(...parts);
      parts.push(value);
      length += value.length;
      if (length > maxBytes) {
        throw failure(code, `the answer has more than ${maxBytes} octets`);
      }
    }
  } finally {
    wipe(...parts);
    // Frees the connection when the rest is not wanted.
    await reader.cancel().catch(() => undefined);
  }
}

function failure(code: string, message: string, cause?: unknown): MikeySakkeError {
  return new MikeySakkeError("transport", code, message, { cause });
}
