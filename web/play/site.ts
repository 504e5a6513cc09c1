/**
 * The pages on loopback, for trying them out: files, `config.json`, development tokens, and a way to the KMS, whose certificate
 * is self-signed. Anyone who reaches this site gets any identity, so only this machine can, and no page of another origin.
 */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { fromUtf8 } from "../../base/bytes.ts";
import { readBody } from "../../cli/server/read-body.ts";
import { isOidc, type PageConfig, type Tokens } from "../client/config.ts";

export interface PageSiteOptions {
  /** The folder of what was built. */
  readonly folder: string;
  /** 0 picks a free one. */
  readonly port: number;
}

export interface PageServers {
  readonly config: PageConfig;
  /** Undefined where the page signs in at an identity management server. */
  readonly tokens: ((user: string) => Promise<Tokens>) | undefined;
  /** Answers what is meant for the KMS. */
  readonly kms: (path: string, body: string, authorization: string) => Promise<Response>;
}

export interface PageSite {
  /** Without a slash at the end. */
  readonly origin: string;
  /** Before that it has files only. */
  serve(servers: PageServers): void;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
export const KMS_PATH = "/kms";
export const TOKEN_PATH = "/token";
const MAX_BODY = 64 << 10;
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};
/** Names that builds have. */
const FILE = /^\/[\w-]+\.(?:html|css|js|svg|wasm)$/;

export async function openPageSite({ folder, port }: PageSiteOptions): Promise<PageSite> {
  let servers: PageServers | undefined;
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.writeHead(500).end());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, resolve);
  });
  const origin = `http://${HOST}:${(server.address() as AddressInfo).port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", origin).pathname;
    // A name that leads here from elsewhere (DNS rebinding) is not ours.
    if (`http://${request.headers.host}` !== origin) return void response.writeHead(421).end();
    if (request.method === "POST") return post(path, request, response);
    if (request.method !== "GET") return void response.writeHead(405).end();
    for (const [name, value] of Object.entries(headersOf(servers))) response.setHeader(name, value);
    if (path === "/config.json" && servers !== undefined) return json(response, servers.config);
    const file = path === "/" ? "/index.html" : path;
    const body = FILE.test(file) ? await readFile(join(folder, file)).catch(() => undefined) : undefined;
    if (body === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[extname(file)]! }).end(body);
  }

  async function post(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (servers === undefined) return void response.writeHead(503).end();
    if (request.headers.origin !== origin) return void response.writeHead(403).end();
    const octets = await readBody(request, MAX_BODY);
    if (octets === undefined) return void response.writeHead(413).end();
    const body = fromUtf8(octets);
    if (path === TOKEN_PATH && servers.tokens !== undefined) {
      const { user } = JSON.parse(body) as { user?: unknown };
      if (typeof user !== "string") return void response.writeHead(400).end();
      return json(response, await servers.tokens(user));
    }
    if (!path.startsWith(`${KMS_PATH}/`)) return void response.writeHead(404).end();
    const { authorization = "" } = request.headers;
    // As it was written: identities in it are encoded.
    const answered = await servers.kms(request.url!.slice(KMS_PATH.length), body, authorization);
    response.writeHead(answered.status, {
      "content-type": answered.headers.get("content-type") ?? "application/xml",
    });
    response.end(Buffer.from(await answered.arrayBuffer()));
  }

  return {
    origin,
    serve: (given) => {
      servers = given;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Nothing but what the page has beside it, and its servers. */
function headersOf(servers: PageServers | undefined): Record<string, string> {
  const others = servers === undefined ? [] : originsOf(servers.config);
  const policy = [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self'",
    "worker-src 'self'",
    `connect-src 'self' ${others.join(" ")}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ];
  return {
    "content-security-policy": policy.join("; "),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self)",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  };
}

function originsOf({ gms, mcx, signIn }: PageConfig): string[] {
  const issuer = isOidc(signIn) ? [new URL(signIn.issuer).origin] : [];
  return [gms.sip, mcx.sip, mcx.media, ...issuer];
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}
