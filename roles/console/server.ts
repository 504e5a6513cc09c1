/** The console of operators: its page, sessions, the admin APIs of the servers under one origin, and events. */
import type { Server as HttpsServer } from "node:https";
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from "fastify";
import type { z } from "zod";
import { toHex } from "../../base/bytes.ts";
import { systemClock, type TimerPort } from "../../base/clock.ts";
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import { faultsOf } from "../server/faults.ts";
import { type Credentials, guardListener, type ListenerGuard, ownGuard, urlOf } from "../server/listener.ts";
import { noLog, type ServerLog } from "../server/log.ts";
import { isLoopback } from "../server/loopback.ts";
import { answerBadTarget, isCallersFault, toWireError } from "../server/wire-error.ts";
import { Alarms } from "./alarms.ts";
import type { ConsoleBackend } from "./backend.ts";
import { type ConsoleConfig, parseConsoleConfig } from "./config.ts";
import { Feed } from "./feed.ts";
import { addGuard, refused } from "./guard.ts";
import { History } from "./history.ts";
import { LostUsers } from "./lost-users.ts";
import type { FeedEvents, ServerName, SessionView } from "./messages.ts";
import { openApiDocument } from "./openapi.ts";
import { OPERATIONS, type OperationId, SCHEMAS, type SchemaName } from "./operations.ts";
import { type PageFile, readPageFiles } from "./page-files.ts";
import { digestOf, type Session, Sessions } from "./sessions.ts";
import { TALK_KMS, type Talk, talkOf } from "./talk.ts";
import { askServer } from "./upstream.ts";

export interface ConsoleOptions {
  readonly config: object;
  readonly backend: ConsoleBackend;
  /** Opens sessions at any time, for whoever can read it. */
  readonly token: string;
  /** The folder of the built page. */
  readonly folder: string;
  readonly credentials?: Credentials;
  readonly fetch?: typeof fetch;
  readonly now?: () => number;
  /** Paces the samples of the last day. */
  readonly timer?: TimerPort;
  readonly random?: RandomSource;
  readonly log?: ServerLog;
  readonly guard?: ListenerGuard;
}

export interface Console {
  /** Under which it is reached. */
  listen(): Promise<{ readonly origin: string; readonly hasPage: boolean }>;
  /** A link that signs in once, within a quarter of an hour. */
  link(): string;
  close(): Promise<void>;
}

const BODY_BYTES = 1 << 20;
const REQUEST_SECONDS = 30;
/** Open pages. */
const MOST_PAGES = 64;
/** Octets that a page has not taken yet; beyond that it is let go, and comes back. */
const MOST_WAITING = 4 << 20;
const BEAT_MS = 15_000;
const SWEEP_MS = 1000;
const SERVERS: readonly ServerName[] = ["kms", "gms", "mcx"];

/** @throws {MikeySakkeError} usage BAD_CONFIG */
export function createConsole(options: ConsoleOptions): Console {
  const config: ConsoleConfig = parseConsoleConfig(options.config);
  const { backend, token, folder, credentials, fetch: send = fetch, now = Date.now } = options;
  const { random = systemRandom, log = noLog, guard = ownGuard(), timer = systemClock } = options;
  requireTls(config, credentials);
  const isTls = !isLoopback(config.listen.host);
  const isSecure = isTls || config.origin?.startsWith("https:") === true;
  // The prefix binds the cookie to this host, over TLS.
  const cookieName = isSecure ? "__Host-console" : "console";
  const sessions = new Sessions({
    token,
    idleMs: config.idleMinutes * 60_000,
    lifetimeMs: config.sessionHours * 3_600_000,
    now,
    random,
  });
  const feed = new Feed({ backend, fetch: send, log });
  const lostUsers = new LostUsers({ backend, tell: (lost) => feed.tellAll("lost", lost), now, log });
  const alarms = new Alarms({ mcx: backend.mcx, tell: (all) => feed.tellAll("alarms", all), now });
  const leaveCalls = backend.mcx?.onCall((call) => feed.tellAll("call", call));
  const history = new History({
    apis: backend.apis,
    fetch: send,
    timer,
    now,
    tell: (sample) => feed.tellAll("sample", sample),
  });
  const talk = talkOf(backend.talk, config.dispatcher, OPERATIONS.giveTokens.path);
  let files: ReadonlyMap<string, PageFile> = new Map();
  let origin = config.origin ?? "";
  let port = config.listen.port;
  let sweeping: NodeJS.Timeout | undefined;
  const stopping = new AbortController();

  const slow = { headersTimeout: REQUEST_SECONDS * 1000 };
  const app: FastifyInstance = fastify({
    bodyLimit: BODY_BYTES,
    frameworkErrors: answerBadTarget,
    requestTimeout: REQUEST_SECONDS * 1000,
    forceCloseConnections: "idle" as const,
    genReqId: () => toHex(random(8)),
    ...(isTls
      ? { https: { cert: credentials!.cert, key: credentials!.key, minVersion: "TLSv1.2", ...slow } }
      : { http: slow }),
  } as never) as unknown as FastifyInstance;
  if (isTls) credentials!.secured?.(app.server as unknown as HttpsServer);
  guardListener(app, guard, { kind: isTls ? "https" : "http", open: (path) => files.has(pathOf(path)) });
  addGuard(app, { origin: config.origin, isSecure, talks: talk !== undefined, port: () => port });
  app.removeAllContentTypeParsers();
  // XML is for the KMS.
  app.addContentTypeParser(
    ["application/json", "application/xml"],
    { parseAs: "buffer" },
    (_request, body, done) => done(null, body),
  );
  app.addHook("preClose", async () => stopping.abort());
  app.setNotFoundHandler((request) => {
    if (files.size === 0 && request.method === "GET") {
      throw refused(404, "PAGE_MISSING", "the page was not built: npm run build:web");
    }
    throw refused(404, "NOT_FOUND", "no such page or operation");
  });
  app.setErrorHandler((error: FastifyError, request, reply) => fail(request, reply, error));

  app.get("/*", async (request, reply) => {
    const path = pathOf(request.url);
    const file = files.get(path);
    if (file === undefined) return reply.callNotFound();
    const policy = talk?.policies.get(path);
    if (policy !== undefined) reply.header("content-security-policy", policy);
    return reply.type(file.type).send(file.body);
  });

  const handlers: Record<OperationId, (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>> = {
    async openSession(request, reply) {
      const address = request.ip;
      if (sessions.isBarred(address)) {
        reply.header("retry-after", "60");
        throw refused(429, "TOO_MANY_ATTEMPTS", "too many wrong codes: wait a minute");
      }
      const { code, name } = bodyOf(request, "SignIn");
      const opened = sessions.open(code, name, address);
      if (opened === undefined) {
        log.warn({ address }, "a sign-in to the console was refused");
        throw refused(401, "SIGN_IN", "the code is wrong, was used before, or is over");
      }
      log.info({ address, actor: opened.session.name }, "signed in to the console");
      reply.header("set-cookie", cookieOf(opened.cookie, config.sessionHours * 3600));
      return viewOf(opened.session);
    },
    getSession: async (request) => viewOf(sessionOf(request)),
    async closeSession(request, reply) {
      requireChange(request);
      sessions.close(cookieIn(request)!);
      return reply.header("set-cookie", cookieOf("", 0)).code(204).send();
    },
    async makeLink({ headers: { authorization = "" } }) {
      if (!authorization.startsWith("Bearer ") || !sessions.isToken(authorization.slice("Bearer ".length))) {
        throw refused(401, "ADMIN_TOKEN", "the operator's token is needed");
      }
      return { link: link() };
    },
    async listen(request, reply) {
      const session = sessionOf(request);
      if (feed.size >= MOST_PAGES) throw refused(503, "BUSY", "too many pages are open");
      const { group } = request.query as { group?: unknown };
      await stream(session, cookieIn(request)!, typeof group === "string" ? group : undefined, reply);
      return reply;
    },
    async getHistory(request) {
      sessionOf(request);
      return history.view();
    },
    async listAlarms(request) {
      sessionOf(request);
      return { alarms: alarms.list() };
    },
    async acknowledge(request, reply) {
      const { name } = requireChange(request);
      const { id } = bodyOf(request, "Acknowledge");
      if (!alarms.acknowledge(id, name))
        throw refused(404, "NOT_FOUND", `no emergency call has the number ${id}`);
      log.info({ actor: name, emergency: id }, "emergency call acknowledged");
      return reply.code(204).send();
    },
    async getTalk(request) {
      sessionOf(request);
      return requireTalk().pageConfig;
    },
    async giveTokens(request) {
      const { name } = requireChange(request);
      const { hasTokens, tokens } = requireTalk();
      if (!hasTokens) throw refused(404, "NOT_FOUND", "this console gives no development tokens");
      const { user } = bodyOf(request, "TalkUser");
      log.info({ actor: name, user }, "development tokens for a dispatcher");
      return tokens(user);
    },
    async listLost(request) {
      sessionOf(request);
      return { lost: lostUsers.list() };
    },
    async lose(request) {
      const { name } = requireChange(request);
      const { user, reason } = bodyOf(request, "Lose");
      log.warn({ actor: name }, "radio lost");
      return lostUsers.lose(user, name, reason);
    },
  };
  for (const [id, { method, path }] of Object.entries(OPERATIONS)) {
    app.route({ method, url: path, handler: handlers[id as OperationId] });
  }
  // Anybody may ask for it, so it is made once, and not before somebody does.
  let description: ReturnType<typeof openApiDocument> | undefined;
  app.get("/openapi.json", async () => {
    description ??= openApiDocument(cookieName);
    return description;
  });
  for (const server of SERVERS) {
    app.route({
      method: ["GET", "POST", "PUT", "PATCH", "DELETE"],
      url: `/${server}/v1/*`,
      handler: async (request, reply) => {
        const { name } = request.method === "GET" ? sessionOf(request) : requireChange(request);
        const asked = {
          server,
          method: request.method,
          path: request.url.slice(`/${server}/v1`.length),
          body: request.body as Uint8Array | undefined,
          ifMatch: request.headers["if-match"],
          actor: name,
        };
        const { status, etag, body } = await askServer(backend.apis, asked, send);
        if (etag !== null) reply.header("etag", etag);
        return reply.code(status).type("application/json").send(Buffer.from(body));
      },
    });
  }

  // The request has the user's own token, which the KMS checks: the console adds nothing to it.
  app.post(`${TALK_KMS}/*`, async (request, reply) => {
    sessionOf(request);
    const { authorization = "" } = request.headers;
    const body = (request.body ?? new Uint8Array()) as Uint8Array;
    const answer = await requireTalk().askKms(request.url.slice(TALK_KMS.length), body, authorization);
    return reply
      .code(answer.status)
      .type(answer.headers.get("content-type") ?? "application/xml")
      .send(Buffer.from(await answer.arrayBuffer()));
  });

  /** Until the page goes, the session ends, or the server does. */
  async function stream(
    session: Session,
    cookie: string,
    group: string | undefined,
    reply: FastifyReply,
  ): Promise<void> {
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      "content-type": "text/event-stream",
      connection: "close",
    });
    const tell = <N extends keyof FeedEvents>(name: N, data: FeedEvents[N]) => {
      if (raw.writableLength > MOST_WAITING) return void raw.destroy();
      raw.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    };
    let leave = () => {};
    const end = () => {
      if (session.over.aborted) tell("bye", { at: now() });
      raw.end();
    };
    // An open page is in use.
    const beat = setInterval(() => {
      sessions.of(cookie);
      raw.write(": \n\n");
    }, BEAT_MS).unref();
    raw.once("close", () => {
      clearInterval(beat);
      session.over.removeEventListener("abort", end);
      stopping.signal.removeEventListener("abort", end);
      leave();
    });
    session.over.addEventListener("abort", end);
    stopping.signal.addEventListener("abort", end);
    try {
      leave = await feed.open(group, tell);
    } catch (error) {
      log.warn({ detail: String(error) }, "events could not begin");
      raw.destroy();
    }
    if (raw.destroyed || session.over.aborted || stopping.signal.aborted) {
      leave();
      end();
    }
  }

  function link(): string {
    return `${origin}/#code=${sessions.newCode()}`;
  }

  function viewOf({ name, csrf, endsAt }: Session): SessionView {
    const servers = SERVERS.filter((server) => backend.apis[server] !== undefined);
    const { talkPage } = config;
    const talks = talk !== undefined;
    return { name, csrf, endsAt, servers, identities: backend.identities, ...defined({ talkPage }), talks };
  }

  function requireTalk(): Talk {
    if (talk === undefined) throw refused(404, "NOT_FOUND", "nobody takes part in calls from this console");
    return talk;
  }

  function cookieIn(request: FastifyRequest): string | undefined {
    for (const pair of (request.headers.cookie ?? "").split(";")) {
      const at = pair.indexOf("=");
      if (at > 0 && pair.slice(0, at).trim() === cookieName) return pair.slice(at + 1).trim();
    }
    return undefined;
  }

  function cookieOf(value: string, seconds: number): string {
    const parts = [`${cookieName}=${value}`, "Path=/", "HttpOnly", "SameSite=Strict", `Max-Age=${seconds}`];
    return [...parts, ...(isSecure ? ["Secure"] : [])].join("; ");
  }

  function sessionOf(request: FastifyRequest): Session {
    const session = sessions.of(cookieIn(request));
    if (session === undefined) throw refused(401, "SIGN_IN", "sign in first");
    return session;
  }

  /** The cookie comes by itself, the token only from our page. */
  function requireChange(request: FastifyRequest): Session {
    const session = sessionOf(request);
    const given = digestOf(String(request.headers["csrf-token"] ?? ""));
    if (!given.equals(digestOf(session.csrf)))
      throw refused(403, "CSRF", "the token of the session is missing");
    return session;
  }

  function fail(request: FastifyRequest, reply: FastifyReply, error: FastifyError): FastifyReply {
    const own = error instanceof MikeySakkeError;
    const status = error.statusCode ?? (error.code === "NOT_FOUND" ? 404 : isCallersFault(error) ? 400 : 502);
    if (status >= 500) log.error({ requestId: request.id, detail: String(error) }, "console request failed");
    const known = own ? error : new MikeySakkeError("usage", "BAD_ADMIN_REQUEST", error.message);
    return reply.code(status).send({ error: toWireError(status >= 500 && !own ? error : known) });
  }

  return {
    async listen() {
      files = await readPageFiles(folder);
      await app.listen(config.listen);
      const url = urlOf(app, isTls ? "https" : "http", config.listen.host);
      port = Number(new URL(url).port);
      origin = config.origin ?? url;
      sweeping = setInterval(() => sessions.sweep(), SWEEP_MS).unref();
      history.start();
      log.info({ origin }, "console listening");
      return { origin, hasPage: files.has("/") };
    },
    link,
    async close() {
      clearInterval(sweeping);
      sessions.closeAll();
      await app.close();
      await feed.close();
      await lostUsers.close();
      await history.close();
      alarms.close();
      leaveCalls?.();
    },
  };
}

const pathOf = (url: string) => url.split("?", 1)[0]!;

/** @throws {MikeySakkeError} usage BAD_ADMIN_REQUEST, naming each fault */
function bodyOf<N extends SchemaName>({ body }: FastifyRequest, name: N): z.output<(typeof SCHEMAS)[N]> {
  const parsed = SCHEMAS[name].safeParse(jsonIn(body));
  if (parsed.success) return parsed.data as z.output<(typeof SCHEMAS)[N]>;
  throw refused(400, "BAD_ADMIN_REQUEST", faultsOf(parsed.error, "body"));
}

/** Returns undefined for a text that is no JSON. */
function jsonIn(body: unknown): unknown {
  try {
    return JSON.parse(String(body));
  } catch {
    return undefined;
  }
}

function requireTls({ listen }: ConsoleConfig, credentials: Credentials | undefined): void {
  if (isLoopback(listen.host) || credentials !== undefined) return;
  const text = `console.listen.host: ${listen.host} is no loopback address, and there is no certificate: give tls, or a proxy on this machine`;
  throw new MikeySakkeError("usage", "BAD_CONFIG", text);
}
