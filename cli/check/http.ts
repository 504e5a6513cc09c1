/** One HTTP exchange as a test sends it, with whatever is wrong in it on purpose. */
import { deadline } from "../../base/deadline.ts";
import { defined } from "../../base/defined.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { readAll } from "../../transport/http/body.ts";
import { tlsError } from "../terminal/tls-error.ts";
import { quote, type Transcript } from "./transcript.ts";

/** The part of `fetch` that is used. */
export type CheckFetch = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: string;
    readonly redirect: "manual";
    readonly signal: AbortSignal;
  },
) => Promise<{
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: ReadableStream<Uint8Array> | null;
}>;

export interface Ask {
  readonly method: string;
  readonly url: string;
  /** Without Authorization when null. */
  readonly token: string | null;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** In place of the body in the transcript. */
  readonly about?: string;
  /** A text that must not be quoted should the server send it back. */
  readonly secret?: string;
}

export interface Reply {
  /** 0 where the server closed the connection in place of an answer. */
  readonly status: number;
  readonly contentType: string;
  header(name: string): string | undefined;
  readonly body: Uint8Array;
}

const TIMEOUT_MS = 20_000;
const MAX_BYTES = 4 << 20;

export class HttpClient {
  /** Statuses of all answers. */
  readonly statuses: { readonly path: string; readonly status: number }[] = [];
  readonly #fetch: CheckFetch;
  readonly #transcript: Transcript;

  constructor(fetch: CheckFetch, transcript: Transcript) {
    this.#fetch = fetch;
    this.#transcript = transcript;
  }

  get reached(): boolean {
    return this.statuses.length > 0;
  }

  /** @throws {MikeySakkeError} transport `SERVER_UNREACHABLE`, `SERVER_TIMEOUT`, `ANSWER_TOO_LARGE` */
  async ask({ method, url, token, headers = {}, body, about, secret = token ?? "" }: Ask): Promise<Reply> {
    const { pathname } = new URL(url);
    const who = token === null ? " without a token" : "";
    const content = about ?? body;
    const text = `${method} ${pathname}${who}`;
    const exchange = this.#transcript.sent(content === undefined ? text : `${text}\n${quote(content)}`);
    const end = deadline(TIMEOUT_MS, undefined);
    try {
      const response = await end.race(
        this.#fetch(url, {
          method,
          headers: { ...(token !== null && { authorization: `Bearer ${token}` }), ...headers },
          ...defined({ body }),
          redirect: "manual",
          signal: end.signal,
        }),
      );
      const octets = await readAll(response.body, MAX_BYTES, "ANSWER_TOO_LARGE", end.signal);
      const { status } = response;
      const contentType = response.headers.get("content-type") ?? "";
      // Answers to what is well asked hold keys.
      const said = status === 200 ? "" : `\n${new TextDecoder().decode(octets)}`;
      const shown = quote(secret === "" ? said : said.replaceAll(secret, "…"));
      exchange.received = `${status} ${contentType}, ${octets.length} octets${shown}`;
      this.statuses.push({ path: pathname, status });
      const header = (name: string) => response.headers.get(name) ?? undefined;
      return { status, contentType, header, body: octets };
    } catch (cause) {
      exchange.received = end.isOver ? "no answer in time" : "no answer";
      if (cause instanceof MikeySakkeError) throw cause;
      if (end.isOver) throw failure("SERVER_TIMEOUT", `${url}: no answer within ${TIMEOUT_MS} ms`, cause);
      throw tlsError(cause) ?? failure("SERVER_UNREACHABLE", `${url}: cannot be reached`, cause);
    } finally {
      end.release();
    }
  }

  /** As `ask`; a connection that is closed in place of an answer is an answer of status 0. Some refuse floods that way. */
  async askHostile(ask: Ask): Promise<Reply> {
    try {
      return await this.ask(ask);
    } catch (error) {
      if (!(error instanceof MikeySakkeError) || error.code !== "SERVER_UNREACHABLE" || !this.reached)
        throw error;
      return { status: 0, contentType: "", header: () => undefined, body: new Uint8Array() };
    }
  }
}

/** The media type without parameters, in lower case. */
export function mediaTypeOf({ contentType }: Pick<Reply, "contentType">): string {
  return contentType.split(";")[0]!.trim().toLowerCase();
}

function failure(code: ErrorCode, message: string, cause: unknown): MikeySakkeError {
  return new MikeySakkeError("transport", code, message, { cause });
}
