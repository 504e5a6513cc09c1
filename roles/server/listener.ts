/** The parts that all HTTP listeners have in common: limits on sockets, pages of browsers, start and stop. */
import { readFile } from "node:fs/promises";
import type { Server as HttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { Transform } from "node:stream";
import { type FastifyInstance, type FastifyServerOptions, fastify } from "fastify";
import { toHex } from "../../base/bytes.ts";
import type { RandomSource } from "../../base/random.ts";
import { Admission } from "../../transport/admission/admission.ts";
import { Gate, plainAddress } from "../../transport/admission/gate-node.ts";
import type { Secured } from "../../transport/http/server-node.ts";
import { systemClock } from "../../transport/sip/index.ts";
import { noLog } from "./log.ts";
import { RefusedLog } from "./refused-log.ts";

/** How often node looks for connections that are too slow; its default is 30 seconds. */
const CHECK_MS = 1000;
/** Octets of memory that a piece of a body takes besides its content, until all of it is there. */
const PIECE_COST = 512;

/** PEM texts. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
  /** Told of each server that uses them, to replace them while it runs. */
  readonly secured?: Secured | undefined;
  /** The certificate that is in use now, and the file that it was read from. */
  readonly used?: (() => { readonly file: string; readonly cert: string }) | undefined;
}

export interface ListenerOptions {
  readonly bodyBytes: number;
  /** Seconds to receive one whole request. */
  readonly requestTimeout: number;
  /** Seconds after which a connection on which nothing moves is closed, in the midst of an answer too. */
  readonly idleTimeout?: number;
  /** Without it the listener is plain HTTP. */
  readonly credentials?: Credentials;
  readonly random: RandomSource;
  readonly guard?: ListenerGuard | undefined;
}

/** The guard that holds a listener to the bounds of the process; without it a listener has bounds of its own. */
export interface ListenerGuard {
  readonly admission: Admission;
  readonly refused: RefusedLog;
}

export function ownGuard(): ListenerGuard {
  return { admission: new Admission(), refused: new RefusedLog(noLog, systemClock) };
}

/**
 * A server whose only route is `/`, whatever the path: `originalUrl` has it as it was written. The router would decode
 * it, and a plain URI in it is no route. Bodies are octets of any type.
 */
export function createListener(options: ListenerOptions): FastifyInstance {
  const { bodyBytes, credentials, random, idleTimeout } = options;
  const milliseconds = options.requestTimeout * 1000;
  // Node takes the greater of the two for the whole request.
  const slow = {
    connectionsCheckingInterval: CHECK_MS,
    headersTimeout: milliseconds,
    ...(credentials !== undefined && { handshakeTimeout: milliseconds }),
  };
  const app: FastifyInstance = fastify({
    bodyLimit: bodyBytes,
    requestTimeout: milliseconds,
    ...(idleTimeout !== undefined && { connectionTimeout: idleTimeout * 1000 }),
    forceCloseConnections: "idle" as const,
    genReqId: () => toHex(random(8)),
    rewriteUrl: () => "/",
    ...(credentials === undefined
      ? { http: slow }
      : { https: { cert: credentials.cert, key: credentials.key, minVersion: "TLSv1.2", ...slow } }),
  } as FastifyServerOptions);
  if (credentials !== undefined) credentials.secured?.(app.server as unknown as HttpsServer);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  // Plain HTTP is for a proxy on the same machine, whose address stands for all clients.
  guardListener(app, options.guard ?? ownGuard(), { kind: credentials === undefined ? "http" : "https" });
  return app;
}

/** Admits the connections of a listener, counts what bodies hold, and logs what is no HTTP. */
export function guardListener(
  app: FastifyInstance,
  { admission, refused }: ListenerGuard,
  {
    kind,
    open = () => false,
  }: { readonly kind: "http" | "https"; readonly open?: (path: string) => boolean },
): void {
  const transport = kind.toUpperCase();
  const note = (reason: string, source: string) => refused.note({ reason, transport, source });
  const gate = new Gate(app.server, {
    admission,
    kind,
    shared: () => kind === "http",
    dropped: (reason, { host }) => note(reason, host),
  });
  // Errors of a TLS handshake come here too. Fastify answers, if it can, and ends the connection.
  app.server.on("clientError", ({ code }: NodeJS.ErrnoException, { remoteAddress = "" }: Socket) =>
    note(code ?? "HTTP", plainAddress(remoteAddress)),
  );
  app.addHook("preClose", async () => gate.closeHandshakes());
  app.addHook("preParsing", async (request, _reply, payload) => {
    const connection = gate.of(request.raw.socket);
    if (connection === undefined || connection.proven) return payload;
    let held = 0;
    const counting = new Transform({
      transform(piece: Buffer, _encoding, done) {
        held += piece.length + PIECE_COST;
        connection.hold(held);
        done(null, piece);
      },
    });
    payload.on("error", (error) => counting.destroy(error));
    // Nobody else listens while the body of a GET, or of a request that was refused, comes in and breaks off.
    counting.on("error", () => undefined);
    return payload.pipe(counting);
  });
  app.addHook("onSend", async (request, reply) => {
    const connection = gate.of(request.raw.socket);
    connection?.hold(0);
    // Every other answer of that kind is given to those with a good token only.
    const isServed = (reply.statusCode >= 200 && reply.statusCode < 300) || reply.statusCode === 304;
    if (isServed && request.method !== "OPTIONS" && !open(request.originalUrl)) connection?.vouch();
  });
}

export interface BrowserRules {
  /** Origins of pages; without any, browsers keep every page away. */
  readonly origins: readonly string[];
  readonly methods: string;
  /** Headers of requests. */
  readonly headers: string;
  /** Headers of answers that pages may read. */
  readonly exposed?: string;
}

export function allowBrowsers(app: FastifyInstance, rules: BrowserRules): void {
  if (rules.origins.length === 0) return;
  app.addHook("onRequest", async (request, reply) => {
    const { origin } = request.headers;
    reply.header("vary", "origin");
    if (origin === undefined || !rules.origins.includes(origin)) return;
    reply.header("access-control-allow-origin", origin);
    if (rules.exposed !== undefined) reply.header("access-control-expose-headers", rules.exposed);
    if (request.method !== "OPTIONS") return;
    reply
      .code(204)
      .header("access-control-allow-methods", rules.methods)
      .header("access-control-allow-headers", rules.headers)
      .header("access-control-max-age", "600");
    return reply.send();
  });
}

export async function readCredentials(tls: {
  readonly certFile: string;
  readonly keyFile: string;
}): Promise<Credentials> {
  const [cert, key] = await Promise.all([tls.certFile, tls.keyFile].map((file) => readFile(file, "utf8")));
  return { cert: cert!, key: key!, used: () => ({ file: tls.certFile, cert: cert! }) };
}

/** Returns the URL at which a listener that has been opened answers. */
export function urlOf(app: FastifyInstance, scheme: string, host: string): string {
  const { port } = app.server.address() as AddressInfo;
  return `${scheme}://${host.includes(":") ? `[${host.replace(/^\[|\]$/g, "")}]` : host}:${port}`;
}

/** Stops listening, waits for answers under way, and after `milliseconds` for none any more. */
export async function stopServer(app: FastifyInstance, milliseconds: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), milliseconds);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}
