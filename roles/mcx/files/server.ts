/**
 * Upload and download of files over HTTP (TS 24.282 10.2.2, 10.2.3, 6.7): POST of an info document and the sealed file, 201 with
 * the URL in Location; GET and HEAD of that URL for members of the group, or for the one user that it is for.
 */
import { Readable } from "node:stream";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { RandomSource } from "../../../base/random.ts";
import {
  MCDATA_REQUESTS,
  MEDIA,
  mediaTypeOf,
  readMcdataInfo,
  readMultipart,
} from "../../../documents/group-xml/index.ts";
import type { FileAudience, FileLimits } from "../../../store/index.ts";
import { isSameUri } from "../../../transport/sip/index.ts";
import { httpChallenge } from "../../server/bearer-challenge.ts";
import { type Credentials, createListener, type ListenerGuard } from "../../server/listener.ts";
import type { ServerLog } from "../../server/log.ts";
import { TOKEN_STATUS, TokenRefusal } from "../../server/token-refusal.ts";
import type { TokenVerifier } from "../../server/tokens.ts";
import type { FileDepot } from "./file-depot.ts";

/** The path of files, below the URL of the server. */
export const FILES_PATH = "/mcdata/fd";

export interface FileServerOptions {
  readonly depot: FileDepot;
  readonly limits: FileLimits;
  readonly tokens: TokenVerifier;
  /** Refuses with an error of `status` who is no member of the group, or may not have MCData in it. */
  readonly requireMember: (group: string, user: string) => Promise<void>;
  /** Where clients reach the server: scheme, host and port. */
  readonly url: () => string;
  /** Octets of a sealed file. The uploads under way may have `limits.totalBytes`; one is taken in any case. */
  readonly maxBytes: number;
  /** Seconds to receive one. */
  readonly requestTimeout: number;
  readonly credentials?: Credentials;
  readonly guard: ListenerGuard;
  readonly now: () => number;
  readonly random: RandomSource;
  readonly log: ServerLog;
  readonly count: (event: string) => void;
}

/** Info document, boundaries and headers beside the file. */
const MULTIPART_BYTES = 64 << 10;

/** An answer other than success. */
class FileRefusal extends MikeySakkeError {
  readonly status: number;

  constructor(status: number, text: string, cause?: unknown) {
    super("transport", "FILE_REFUSED", text, { cause });
    this.status = status;
  }
}

export function createFileServer(options: FileServerOptions): FastifyInstance {
  const { depot, limits, tokens, maxBytes, requestTimeout, credentials, guard, now, random, log, count } =
    options;
  const bodyBytes = maxBytes + MULTIPART_BYTES;
  /** Octets that the uploads under way may come to. */
  let coming = 0;
  const app = createListener({
    bodyBytes,
    requestTimeout,
    idleTimeout: requestTimeout,
    random,
    guard,
    ...defined({ credentials }),
  });
  const users = new WeakMap<object, readonly string[]>();
  // Before the body is read.
  app.addHook("onRequest", async (request, reply) => {
    const { identities } = await tokens.verify(request.headers.authorization, now());
    users.set(request.raw, identities);
    if (request.method === "POST") admit(reply);
  });

  /** A user with a token must not fill the memory with uploads that have no end, either. */
  function admit(reply: FastifyReply): void {
    if (coming > 0 && coming + bodyBytes > limits.totalBytes)
      throw new FileRefusal(503, "too many uploads at a time");
    coming += bodyBytes;
    reply.raw.once("close", () => {
      coming -= bodyBytes;
    });
  }

  async function handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const own = users.get(request.raw) ?? [];
    const path = request.originalUrl;
    if (path === FILES_PATH) {
      if (request.method !== "POST") return reply.code(405).header("allow", "POST").send();
      const id = await upload(own, request);
      count("file_stored");
      return reply.code(201).header("location", `${options.url()}${FILES_PATH}/${id}`).send();
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return reply.code(405).header("allow", "GET, HEAD").send();
    }
    const id = idOf(path);
    const file = id === undefined ? undefined : await depot.find(id);
    if (id === undefined || file === undefined) throw new FileRefusal(404, path);
    await requireAudience(file.audience, own);
    count("file_fetched");
    reply.headers({
      "content-type": MEDIA.octetStream,
      "cache-control": "private, no-store",
      "content-length": file.size,
    });
    return reply.send(request.method === "HEAD" ? "" : Readable.from(depot.read(id)));
  }

  async function upload(own: readonly string[], { headers, body }: FastifyRequest): Promise<string> {
    const contentType = headers["content-type"] ?? "";
    if (!mediaTypeOf(contentType).startsWith("multipart/")) throw new FileRefusal(415, contentType);
    const parts = orBad(() =>
      readMultipart(contentType, body instanceof Uint8Array ? body : new Uint8Array()),
    );
    const part = (type: string) => {
      const found = parts.find((one) => mediaTypeOf(one.contentType) === type)?.body;
      if (found === undefined) throw new FileRefusal(400, `no part ${type}`);
      return found;
    };
    const { requestType, requestUri, callingUser } = orBad(() => readMcdataInfo(part(MEDIA.mcdataInfo)));
    const octets = part(MEDIA.octetStream);
    const isForGroup = requestType === MCDATA_REQUESTS.GROUP_FD;
    if ((!isForGroup && requestType !== MCDATA_REQUESTS.ONE_TO_ONE_FD) || requestUri === undefined) {
      throw new FileRefusal(403, `request-type ${requestType}`);
    }
    const user = callingUser === undefined ? own[0] : own.find((one) => isSameUri(one, callingUser));
    if (user === undefined) throw new FileRefusal(403, `${callingUser} is not the user of the token`);
    if (octets.length > maxBytes) throw new FileRefusal(413, `${octets.length} octets`);
    if (isForGroup) await options.requireMember(requestUri, user);
    const audience = isForGroup ? { group: requestUri } : { user: requestUri };
    return depot.put({ audience, sender: user, origin: options.url(), octets }, limits);
  }

  async function requireAudience(audience: FileAudience, own: readonly string[]): Promise<void> {
    if ("user" in audience) {
      if (own.some((user) => isSameUri(user, audience.user))) return;
      throw new FileRefusal(403, "the file is for another user");
    }
    const { group } = audience;
    let refusal: unknown = new FileRefusal(403, "the token names no user");
    for (const user of own) {
      try {
        return await options.requireMember(group, user);
      } catch (error) {
        refusal = error;
      }
    }
    throw refusal;
  }

  app.all("/", handle);
  app.setNotFoundHandler(handle);
  const transport = credentials === undefined ? "HTTP" : "HTTPS";
  app.setErrorHandler(async (error: FastifyError, { ip: source }, reply) => {
    const status = statusOf(error);
    count("file_refused");
    const facts = { reason: error.code ?? String(status), detail: error.message };
    if (status === 500) log.error(facts, "a request for a file failed");
    else guard.refused.note({ ...facts, transport, source });
    if (status === 503) reply.header("retry-after", "5");
    return reply.code(status).headers(httpChallenge(error.code)).send();
  });
  return app;
}

/** The identifier in a path; undefined for what is no path of a file. */
export function idOf(path: string): string | undefined {
  const id = path.startsWith(`${FILES_PATH}/`) ? path.slice(FILES_PATH.length + 1) : "";
  return /^[0-9a-f]{32}$/.test(id) ? id : undefined;
}

function orBad<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MikeySakkeError) || error instanceof FileRefusal) throw error;
    throw new FileRefusal(400, error.message, error);
  }
}

function statusOf(error: FastifyError): number {
  if (error instanceof TokenRefusal) return TOKEN_STATUS[error.code];
  if (error instanceof MikeySakkeError) {
    // RFC 4918 11.5.
    if (error.code === "FILES_FULL") return 507;
    return "status" in error && typeof error.status === "number" ? error.status : 500;
  }
  return error.statusCode ?? 500;
}
