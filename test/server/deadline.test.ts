/** Work with a deadline ends at it, also where what it waits for has forgotten the signal, as fetch of Node.js 20 may. */
import { describe, expect, it } from "vitest";
import { deadline, orAborted, withTimeout } from "../../base/deadline.ts";
import { defined } from "../../base/defined.ts";
import { jsonLines } from "../../roles/server/wire-error.ts";
import { readAll } from "../../transport/http/body.ts";
import { type KmsFetchResponse, post } from "../../transport/http/exchange.ts";

const SOON_MS = 20;
const never = <T>() => new Promise<T>(() => undefined);

/** A body that gives these octets, and then nothing more. */
function unending(text: string, cancelled?: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
    ...defined({ cancel: cancelled }),
  });
}

const exchange = (fetch: () => Promise<KmsFetchResponse>, signal?: AbortSignal) =>
  post(
    fetch,
    "https://kms.example.org/",
    { body: "", token: "" },
    { timeoutMs: SOON_MS, maxBytes: 99 },
    signal,
  );

describe("an exchange with a KMS", () => {
  it("ends when there is no answer in time: KMS_TIMEOUT", async () => {
    await expect(exchange(never)).rejects.toMatchObject({ code: "KMS_TIMEOUT" });
  });

  it("ends when an answer does not end in time, and frees its connection", async () => {
    let isFree = false;
    const body = unending("<", () => {
      isFree = true;
    });
    const headers = new Headers();
    await expect(exchange(async () => ({ status: 200, headers, body }))).rejects.toMatchObject({
      code: "KMS_TIMEOUT",
    });
    expect(isFree).toBe(true);
  });

  it("ends with the reason for which its caller gave up", async () => {
    const caller = new AbortController();
    const ended = expect(exchange(never, caller.signal)).rejects.toThrow("enough");
    caller.abort(new Error("enough"));
    await ended;
  });
});

describe("an answer in lines", () => {
  it("gives the lines that came, and ends with the signal", async () => {
    const stop = new AbortController();
    const read = async () => {
      const lines: unknown[] = [];
      try {
        for await (const line of jsonLines(new Response(unending('{"n":1}\n{"n":')), stop.signal)) {
          lines.push(line);
          setTimeout(() => stop.abort(new Error("enough")), 1);
        }
      } catch (error) {
        return [...lines, String(error)];
      }
      return lines;
    };
    expect(await read()).toEqual([{ n: 1 }, "Error: enough"]);
  });

  it("is not requested when the signal is already there", async () => {
    await expect(
      readAll(unending("x"), 9, "TOO_LARGE", AbortSignal.abort(new Error("enough"))),
    ).rejects.toThrow("enough");
  });
});

describe("a deadline", () => {
  it("is exceeded when its time is over, and not when it was released before", async () => {
    const late = deadline(SOON_MS);
    await expect(late.race(never())).rejects.toMatchObject({ name: "TimeoutError" });
    expect(late.isOver).toBe(true);
    const done = deadline(SOON_MS);
    expect(await done.race(Promise.resolve(1))).toBe(1);
    done.release();
    await new Promise((resolve) => setTimeout(resolve, 2 * SOON_MS));
    expect([done.isOver, done.signal.aborted]).toEqual([false, false]);
  });

  it("ends with the caller's signal, which does not count as exceeded", async () => {
    const outer = new AbortController();
    const end = deadline(60_000, outer.signal);
    const ended = expect(end.race(never())).rejects.toThrow("stop");
    outer.abort(new Error("stop"));
    await ended;
    expect(end.isOver).toBe(false);
    end.release();
  });

  it("passes on the result and the error of its work", async () => {
    expect(await withTimeout(60_000, async () => 7)).toBe(7);
    await expect(withTimeout(60_000, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await expect(withTimeout(SOON_MS, never)).rejects.toMatchObject({ name: "TimeoutError" });
    expect(await orAborted(Promise.resolve(3), undefined)).toBe(3);
  });
});
