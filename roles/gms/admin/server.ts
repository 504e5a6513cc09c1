/** The listener for operators and managers, on loopback: health, metrics, admin API. */
import { setMaxListeners } from "node:events";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { defined } from "../../../base/defined.ts";
import { type ErrorCode, MikeySakkeError } from "../../../base/errors.ts";
import { traceIdOf } from "../../../base/traceparent.ts";
import { type AdminListenerOptions, createAdminListener } from "../../server/admin-listener.ts";
import { addBackupRoute } from "../../server/backup-route.ts";
import { httpChallenge } from "../../server/bearer-challenge.ts";
import type { ListenerGuard } from "../../server/listener.ts";
import { addOpenApiRoute } from "../../server/openapi.ts";
import { TOKEN_STATUS } from "../../server/token-refusal.ts";
import type { TokenVerifier } from "../../server/tokens.ts";
import { answerMalformed, isCallersFault } from "../../server/wire-error.ts";
import { loggable } from "../common/errors.ts";
import type { PrometheusMetrics } from "../common/metrics-prom.ts";
import type { GmsContext } from "../common/ports.ts";
import { Access } from "./access.ts";
import { openApiDocument } from "./openapi.ts";
import { ADMIN_ROOT, type Call, OPERATIONS, type Operation } from "./operations.ts";
import { outward } from "./outward.ts";
import { progressLines } from "./progress.ts";
import { readRequest } from "./request.ts";

/** Rekeys that are followed at a time. */
const MAX_STREAMS = 64;

const TRACEPARENT = "traceparent";

const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  ...TOKEN_STATUS,
  ADMIN_TOKEN: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  GROUP_UNKNOWN: 404,
  MEMBER_UNKNOWN: 404,
  GMK_UNKNOWN: 404,
  REKEY_UNKNOWN: 404,
  STORE_REFUSED: 500,
  GROUP_EXISTS: 409,
  MEMBER_EXISTS: 409,
  GMK_REVOKED: 409,
  GROUP_CHANGED: 412,
  CLOCK_OFF: 503,
  CLOCK_AHEAD: 503,
  BUSY: 503,
};

export type AdminContext = Pick<
  GmsContext,
  "admin" | "config" | "store" | "now" | "random" | "log" | "on" | "tracing"
>;

export interface GmsAdminServerOptions
  extends Pick<AdminListenerOptions, "issuers" | "credentials" | "keyEnds"> {
  readonly context: AdminContext;
  /** Token of the operator; without it there is no operator. */
  readonly token?: string;
  /** Verifier of users' tokens, for managers of groups. */
  readonly tokens?: TokenVerifier;
  /** Throws unless requests can be answered. */
  readonly ready: () => Promise<void>;
  readonly metrics?: Pick<PrometheusMetrics, "contentType" | "text">;
  readonly guard?: ListenerGuard;
}

export function createGmsAdminServer(options: GmsAdminServerOptions): FastifyInstance {
  const { context, token, tokens, ready, metrics, guard, issuers, credentials, keyEnds } = options;
  const { store, now, random, log, admin, tracing } = context;
  const pool = () => store.pool();
  const listener = { ready, log, random, guard, answerError, issuers, credentials, keyEnds, pool };
  const app = createAdminListener({ ...listener, ...defined({ metrics }) });
  const access = new Access({ store, now, ...defined({ token, tokens }) });
  const gmk = (gmkId: number) => store.gmkByGmkId(gmkId);
  const stopping = new AbortController();
  // Node.js would warn of a leak at the eleventh stream.
  setMaxListeners(MAX_STREAMS, stopping.signal);
  let streams = 0;

  app.addHook("preClose", async () => stopping.abort());
  if (token !== undefined) addBackupRoute(app, { token, log, snapshot: (write) => store.snapshot(write) });
  addOpenApiRoute(app, ADMIN_ROOT, openApiDocument);
  for (const operation of OPERATIONS) {
    const url = `${ADMIN_ROOT}${operation.path.replace(/\{(\w+)\}/g, ":$1")}`;
    app.route({
      method: operation.method,
      url,
      handler: (request, reply) => serve(operation, request, reply),
    });
  }

  async function serve(operation: Operation, request: FastifyRequest, reply: FastifyReply) {
    const { headers, params, query, body } = request;
    const caller = await access.caller(headers);
    const read = readRequest(operation, { params, query, body, ifMatch: headers["if-match"] });
    const rights = await access.rightsFor(caller, operation, { admin, gmk, ...read });
    const { id } = operation;
    const span = tracing.begin(`gms.admin.${id}`, { parent: textOf(headers[TRACEPARENT]), kind: "server" });
    const { traceparent } = span;
    const traceId = traceIdOf(traceparent);
    log.info({ traceId, operation: id, actor: rights.caller.actor, requestId: request.id }, "admin request");
    const call = { admin: admin.traced(traceparent), gmk, ...rights, ...read } as Call<never, never>;
    const result = await operation.run(call).catch((error: unknown) => {
      span.end(error);
      throw error;
    });
    span.end();
    if (operation.lines) return stream(Number(read.params.rekey), reply);
    const revision = (result as { revision?: number } | undefined)?.revision;
    if (revision !== undefined) reply.header("etag", `"${revision}"`);
    return reply.code(operation.status).header("cache-control", "no-store").send(result);
  }

  function stream(rekey: number, reply: FastifyReply): FastifyReply {
    if (streams >= MAX_STREAMS)
      throw new MikeySakkeError("transport", "BUSY", "too many rekeys are followed");
    streams++;
    const gone = new AbortController();
    const end = () => gone.abort();
    if (stopping.signal.aborted) end();
    stopping.signal.addEventListener("abort", end);
    reply.raw.once("close", () => {
      streams--;
      stopping.signal.removeEventListener("abort", end);
      end();
    });
    // A connection kept for later would hold up the end of the server.
    reply.type("application/x-ndjson").headers({ "cache-control": "no-store", connection: "close" });
    return reply.send(progressLines(rekey, context, gone.signal));
  }

  function answerError(
    error: Pick<FastifyError, "statusCode" | "message">,
    request: FastifyRequest,
    reply: FastifyReply,
  ): FastifyReply {
    const isMalformed = !(error instanceof MikeySakkeError) && (error.statusCode ?? 500) < 500;
    return isMalformed ? answerMalformed(error, request, reply) : fail(reply, error, request.id);
  }

  function fail(reply: FastifyReply, error: unknown, requestId?: string): FastifyReply {
    const known = error instanceof MikeySakkeError ? STATUS[error.code] : undefined;
    const status = known ?? (isCallersFault(error) ? 400 : 500);
    if (status === 500) log.error({ requestId, ...loggable(error) }, "admin request failed");
    if (error instanceof MikeySakkeError) reply.headers(httpChallenge(error.code));
    return reply.code(status).send({ error: outward(error) });
  }
  return app;
}

/** A header that is there several times is none (W3C Trace Context 3.2). */
function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" ? header : undefined;
}
