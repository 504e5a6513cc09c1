/** The admin API over HTTP: `POST /admin/v1/{operation}` with JSON, for callers with the admin token. */

import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { writeKmsKeySet } from "../../../documents/kms-xml/index.ts";
import { ACTOR_HEADER, readActor } from "../../server/actor.ts";
import { operatorCheck } from "../../server/admin-listener.ts";
import { httpChallenge } from "../../server/bearer-challenge.ts";
import { faultsOf } from "../../server/faults.ts";
import type { ServerLog } from "../../server/log.ts";
import { addOpenApiRoute } from "../../server/openapi.ts";
import { isCallersFault, toWireError } from "../../server/wire-error.ts";
import type { IssueOptions, KmsAdmin } from "./admin.ts";
import { type Handlers, handlersOf } from "./handlers.ts";
import { openApiDocument } from "./openapi.ts";
import { ADMIN_ROOT, BODIES, type BodyOf, type IssueLine, type Operation } from "./wire.ts";

export interface AdminRoutesOptions {
  readonly admin: KmsAdmin;
  readonly token: string;
  readonly log: ServerLog;
}

export function addAdminRoutes(app: FastifyInstance, { admin, token, log }: AdminRoutesOptions): void {
  const isOperator = operatorCheck(token);
  addOpenApiRoute(app, ADMIN_ROOT, openApiDocument);
  app.post<{ Params: { operation: string } }>(`${ADMIN_ROOT}/:operation`, async (request, reply) => {
    if (!isOperator(request.headers.authorization)) {
      const error = new MikeySakkeError("usage", "ADMIN_TOKEN", "the admin token is wrong");
      return fail(reply.headers(httpChallenge(error.code)), 401, error);
    }
    const { operation } = request.params;
    if (!Object.hasOwn(BODIES, operation)) {
      return fail(reply, 404, new MikeySakkeError("usage", "NOT_FOUND", "no such operation"));
    }
    try {
      const actor = readActor(ACTOR_HEADER.kms, request.headers[ACTOR_HEADER.kms]);
      const acting = admin.as(actor);
      log.info({ operation, actor, requestId: request.id }, "admin request");
      const body = parse(operation as Operation, request.body ?? {});
      if (operation === "issue")
        return await reply.type("application/x-ndjson").send(issue(acting, body as never, reply));
      const answer = await handlersOf(acting)[operation as keyof Handlers](body as never);
      return await reply.send({ result: answer ?? null });
    } catch (error) {
      const theirs = isCallersFault(error);
      if (!theirs)
        log.error({ operation, requestId: request.id, detail: String(error) }, "admin request failed");
      return fail(reply, theirs ? 400 : 500, error);
    }
  });
}

function parse(operation: Operation, body: unknown): BodyOf<Operation> {
  const parsed = BODIES[operation].safeParse(body);
  if (parsed.success) return parsed.data;
  throw new MikeySakkeError("usage", "BAD_ADMIN_REQUEST", `${operation}: ${faultsOf(parsed.error)}`);
}

/** Lines while the work goes on. It stops when the reader goes away; what is saved by then stays. */
function issue(admin: KmsAdmin, body: BodyOf<"issue">, reply: FastifyReply): PassThrough {
  const lines = new PassThrough();
  const stop = new AbortController();
  const gone = () => stop.abort(new MikeySakkeError("transport", "ADMIN_GONE", "the reader went away"));
  reply.raw.once("close", gone);
  const write = async (line: IssueLine) => {
    stop.signal.throwIfAborted();
    if (!lines.write(`${JSON.stringify(line)}\n`)) await once(lines, "drain", { signal: stop.signal });
  };
  const options: IssueOptions = {
    signal: stop.signal,
    ...defined({ periodNo: body.periodNo, users: body.users }),
    onProgress: (done, total) => void lines.write(`${JSON.stringify({ done, total })}\n`),
    ...(body.keySets && { onKeySet: (keySet) => write({ keySet: writeKmsKeySet(keySet) }) }),
  };
  admin
    .issue(options)
    .then(
      (result) => write({ result }),
      (error) => write({ error: toWireError(error) }),
    )
    .catch(() => {})
    .finally(() => {
      reply.raw.off("close", gone);
      lines.end();
    });
  return lines;
}

function fail(reply: FastifyReply, status: number, error: unknown): FastifyReply {
  return reply.code(status).send({ error: toWireError(error) });
}
