/** The body of an HTTP answer, with limits on time and size. */
import { wipe } from "../../base/bytes.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { OctetBuffer } from "../../base/octet-buffer.ts";

/**
 * The octets as they come. Throws the reason of `signal` once that is aborted; the connection is freed when the rest is
 * not wanted. The signal that `fetch` was given is not enough: in Node.js 20 a body may be read on and on after it.
 */
export async function* chunksOf(
  stream: ReadableStream<Uint8Array> | null,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (stream === null) return;
  const reader = stream.getReader();
  const cancel = () => reader.cancel(signal?.reason).catch(() => undefined);
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { done, value } = await reader.read();
      signal?.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    await cancel();
  }
}

/** The whole body. Throws a transport error with that code when it is longer than `maxBytes`. */
export async function readAll(
  stream: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  code: ErrorCode,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const body = new OctetBuffer();
  try {
    for await (const part of chunksOf(stream, signal)) {
      const isTooLong = body.length + part.length > maxBytes;
      if (!isTooLong) body.add(part);
      wipe(part);
      if (isTooLong) {
        throw new MikeySakkeError("transport", code, `the answer has more than ${maxBytes} octets`);
      }
    }
    return body.octets.slice();
  } finally {
    body.wipe();
  }
}
