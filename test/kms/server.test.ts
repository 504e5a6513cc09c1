/** The listener, over real sockets. */
import type { ClientRequest, IncomingMessage } from "node:http";
import { request } from "node:https";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { selfSigned } from "../../cli/server/self-signed.ts";
import { openKmsResponse } from "../../documents/kms-xml/index.ts";
import { ALICE, NOW, ROOT, World } from "./running-kms.ts";

const PAGE = "https://app.example.org";
const { certificate: cert, key } = selfSigned(["localhost", "127.0.0.1"], Date.now(), 2);
let world: World;
let port: number;

beforeAll(async () => {
  const config = { urls: [], limits: { bodyBytes: 4096, requestTimeout: 1 }, browserOrigins: [PAGE] };
  world = await World.create(config, { credentials: { cert, key } });
  const { url } = await world.kms.listen();
  expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  port = Number(new URL(url).port);
});
afterAll(() => world.close());

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
}

interface Got {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  readonly error?: number;
}

async function start(path: string, { method = "POST", headers = {} }: Sent): Promise<ClientRequest> {
  const authorization = `Bearer ${await world.token(ALICE)}`;
  const options = { host: "127.0.0.1", port, path, method, ca: cert, agent: false };
  return request({ ...options, headers: { authorization, ...headers } });
}

function answerTo(sent: ClientRequest): Promise<Got> {
  return new Promise((resolve, reject) => {
    sent.on("error", reject);
    sent.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, text }));
    });
  });
}

async function send(path: string, sent: Sent = {}): Promise<Got> {
  const outgoing = await start(path, sent);
  const answer = answerTo(outgoing);
  outgoing.end(sent.body);
  const got = await answer;
  if (!got.text.includes("KmsResponse")) return got;
  const { response } = await openKmsResponse(got.text);
  return { ...got, ...(response.error && { error: response.error.errorCode }) };
}

const body = (tail: string) =>
  world.body(tail, ALICE, { clientReqUrl: `https://localhost:${port}${ROOT}/${tail}` });

describe("HTTPS of the KMS", () => {
  it.each([
    "application/xml",
    "text/xml; charset=utf-8",
    "application/vnd.3gpp.x+xml",
    "text/plain",
    undefined,
  ])("accepts a body of type %s", async (type) => {
    const headers = type === undefined ? {} : { "content-type": type };
    const got = await send(`${ROOT}/init`, { headers, body: body("init") });
    expect(got, got.text).toMatchObject({ status: 200, headers: { "content-type": "application/xml" } });
  });

  it("accepts no body, with and without a type", async () => {
    for (const headers of [{}, { "content-type": "application/xml" }, { "content-length": "0" }]) {
      expect((await send(`${ROOT}/keyprov`, { headers })).status).toBe(200);
    }
  });

  it.each(["sip%3Aalice%40example.org", "sip:alice@example.org", "sip:alice@example.org/edd0d90000000000"])(
    "accepts the path as it is written: %s",
    async (tail) => {
      const got = await send(`${ROOT}/keyprov/${tail}`, { body: body(`keyprov/${tail}`) });
      expect([200, 403]).toContain(got.status);
      expect(got.error ?? 40305).toBe(40305);
    },
  );

  it("needs TLS 1.2", async () => {
    const socket = connectTls({
      port,
      host: "127.0.0.1",
      ca: cert,
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    });
    const error = await new Promise<NodeJS.ErrnoException>((resolve, reject) => {
      socket.on("error", resolve);
      socket.on("secureConnect", () => reject(new Error("connected")));
    });
    expect(error.code).toMatch(/PROTOCOL/);
  });

  it("answers nothing in clear", async () => {
    const socket = connect(port, "127.0.0.1");
    const answer = new Promise<string>((resolve) => {
      let text = "";
      socket.on("data", (part) => {
        text += part;
      });
      socket.on("error", () => {});
      socket.on("close", () => resolve(text));
    });
    socket.write(`POST ${ROOT}/init HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect(await answer).not.toContain("HTTP/1.1 200");
  });
});

describe("the HTTPS server of the KMS refuses", () => {
  it.each(["GET", "PUT", "DELETE", "PATCH", "PROPFIND"])("the method %s", async (method) => {
    const got = await send(`${ROOT}/init`, { method });
    expect(got).toMatchObject({ status: 405, error: 40501, headers: { allow: "POST" } });
  });

  it.each(["/", "/favicon.ico", `${ROOT}/init/`, `${ROOT}/../v1/init`, "/%zz", `${ROOT}//init`])(
    "the path %s",
    async (path) => {
      expect(await send(path)).toMatchObject({ status: 404, error: 40401 });
    },
  );

  it("a path with a bad escape", async () => {
    expect(await send(`${ROOT}/keyprov/sip%3Aalice%zz`)).toMatchObject({ status: 400, error: 40003 });
  });

  it("a body too large, announced or not", async () => {
    const large = `<KmsRequest>${"x".repeat(5000)}</KmsRequest>`;
    expect(await send(`${ROOT}/init`, { body: large })).toMatchObject({ status: 413, error: 41301 });
    const headers = { "transfer-encoding": "chunked" };
    expect(await send(`${ROOT}/init`, { headers, body: large })).toMatchObject({ status: 413, error: 41301 });
  });

  it("a compressed body", async () => {
    const headers = { "content-encoding": "gzip" };
    const got = await send(`${ROOT}/init`, { headers, body: gzipSync(body("init")) });
    expect(got).toMatchObject({ status: 415, error: 41501 });
  });

  it("a request that takes too long to arrive", async () => {
    const outgoing = await start(`${ROOT}/init`, { headers: { "content-length": "100" } });
    const answer = answerTo(outgoing);
    outgoing.write("<KmsRequest>");
    expect((await answer).status).toBe(408);
  });

  it("a probe of the port without an entry in the audit log", async () => {
    const before = (await world.auditLog()).length;
    for (const path of ["/healthz", "/", `${ROOT}/init`]) await send(path, { method: "GET" });
    await send("/.env");
    expect((await world.auditLog()).slice(before)).toEqual([]);
  });
});

describe("the HTTPS server of the KMS, asked by pages,", () => {
  it("answers those of configured origins", async () => {
    const preflight = await send(`${ROOT}/init`, {
      method: "OPTIONS",
      headers: { origin: PAGE, "access-control-request-method": "POST" },
    });
    expect(preflight).toMatchObject({
      status: 204,
      headers: { "access-control-allow-origin": PAGE, "access-control-allow-methods": "POST" },
    });
    const got = await send(`${ROOT}/init`, { headers: { origin: PAGE } });
    expect(got).toMatchObject({ status: 200, headers: { "access-control-allow-origin": PAGE } });
  });

  it("does not answer those of other origins", async () => {
    const headers = { origin: "https://evil.example" };
    const preflight = await send(`${ROOT}/init`, { method: "OPTIONS", headers });
    expect(preflight.status).toBe(405);
    expect(preflight.headers["access-control-allow-origin"]).toBeUndefined();
  });
});

describe("stopping the KMS", () => {
  it("lets requests under way finish", async () => {
    const kms = await world.beside({ urls: [] }, { credentials: { cert, key } });
    const { url, adminUrl } = await kms.kms.listen();
    const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
    expect(Number(/^key_period_end_timestamp_seconds (\d+)$/m.exec(metrics)?.[1]) * 1000).toBeGreaterThan(
      NOW,
    );
    expect(metrics).not.toContain("server_keys_end_timestamp_seconds");
    const text = world.body("init", ALICE, { time: NOW, clientReqUrl: `${url}${ROOT}/init` });
    const outgoing = request(`${url}${ROOT}/init`, {
      method: "POST",
      ca: cert,
      agent: false,
      headers: {
        authorization: `Bearer ${await world.token(ALICE)}`,
        expect: "100-continue",
        "content-length": text.length,
      },
    });
    const answer = answerTo(outgoing);
    outgoing.flushHeaders();
    await new Promise<void>((resolve) => outgoing.on("continue", () => resolve()));
    const closed = kms.kms.close();
    outgoing.end(text);
    expect((await answer).status).toBe(200);
    await closed;
    await expect(fetch(`${adminUrl}/health/live`)).rejects.toThrow();
    const again = connect(Number(new URL(url).port), "127.0.0.1");
    await new Promise<void>((resolve) => again.on("error", () => resolve()));
    expect(kms.kms.close()).toBe(kms.kms.close());
  });
});

it("a KMS whose port is in use ends with an error, and leaves nothing open", async () => {
  const second = await world.beside({ listen: { port: 0 }, admin: { port } }, { credentials: { cert, key } });
  await expect(second.kms.listen()).rejects.toMatchObject({ code: "EADDRINUSE" });
  await second.close();
});
