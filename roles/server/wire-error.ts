/** Errors and streams of the admin APIs on the wire. */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { isErrorCode } from "../../base/error-codes/index.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { chunksOf } from "../../transport/http/body.ts";

/** The most that a server writes on one line of a stream, in characters. */
const MAX_LINE = 1 << 20;

export interface WireError {
  readonly kind: MikeySakkeError["kind"];
  readonly code: string;
  readonly message: string;
}

export function toWireError(error: unknown): WireError {
  if (error instanceof MikeySakkeError) return { kind: error.kind, code: error.code, message: error.message };
  return { kind: "transport", code: "INTERNAL", message: "the server failed" };
}

const KINDS: ReadonlySet<unknown> = new Set<MikeySakkeError["kind"]>([
  "usage",
  "codec",
  "validation",
  "verification",
  "crypto",
  "transport",
]);

/** The error in an answer; undefined where it has none of this shape, as that of a proxy. */
export function readWireError(answer: unknown): WireError | undefined {
  const error = (answer as { error?: Partial<Record<keyof WireError, unknown>> } | null | undefined)?.error;
  if (typeof error !== "object" || error === null) return undefined;
  const { kind, code, message } = error;
  const isWhole = KINDS.has(kind) && typeof code === "string" && typeof message === "string";
  return isWhole ? (error as WireError) : undefined;
}

/** The error for an answer of an admin API that is no success. */
export async function refusalOf(response: Response, url: string): Promise<MikeySakkeError> {
  const error = readWireError(await response.json().catch(() => undefined));
  if (error !== undefined) return fromWireError(error);
  return new MikeySakkeError("transport", "ADMIN_FAILED", `${url}: HTTP status ${response.status}`);
}

/** The error with which a stream ends. */
export function thrownLine(line: object, url: string): MikeySakkeError {
  const error = readWireError(line);
  if (error !== undefined) return fromWireError(error);
  return new MikeySakkeError("transport", "ADMIN_FAILED", `${url}: an error that cannot be read`);
}

/** The error that a server answered with. A server of another version may have codes that this one does not know. */
export function fromWireError(error: WireError): MikeySakkeError {
  const { kind, code, message } = error;
  if (isErrorCode(code)) return new MikeySakkeError(kind, code, message);
  return new MikeySakkeError(kind, "ADMIN_FAILED", `${code}: ${message}`, { cause: error });
}

/** Returns whether an error is the caller's fault and may be passed to them unchanged. */
export function isCallersFault(error: unknown): error is MikeySakkeError {
  return error instanceof MikeySakkeError && error.kind !== "transport" && error.kind !== "crypto";
}

/** Answers what never became an operation: a body that is no JSON, or too large. */
export function answerMalformed(
  error: Pick<FastifyError, "statusCode" | "message">,
  _request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { statusCode: status = 500, message } = error;
  const shown = status < 500 ? new MikeySakkeError("usage", "BAD_ADMIN_REQUEST", message) : error;
  return reply.code(status).send({ error: toWireError(shown) });
}

/** Answers a request target that no router can read. Fastify's own answer repeats it, and a query may have a token in it. */
export function answerBadTarget(
  { statusCode = 400 }: Pick<FastifyError, "statusCode">,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  answerMalformed({ statusCode, message: "the path is malformed or too long" }, request, reply);
}

/** The values of an answer of JSON lines, as they come. Throws the reason of `signal` once that is aborted. */
export async function* jsonLines<T>(response: Response, signal?: AbortSignal): AsyncGenerator<T> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of chunksOf(response.body, signal)) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop()!;
    if (rest.length > MAX_LINE) throw new MikeySakkeError("transport", "ADMIN_FAILED", "a line is too long");
    for (const line of lines) yield JSON.parse(line) as T;
  }
}
