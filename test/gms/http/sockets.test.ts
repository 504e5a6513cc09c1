/** Tests what only sockets show: slow clients, methods of others, pages, TLS, the end. */
import { once } from "node:events";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { selfSigned } from "../../../cli/server/self-signed.ts";
import { MEDIA } from "../../../documents/group-xml/index.ts";
import { createXcapServer } from "../../../roles/gms/http/server.ts";
import { stopServer, urlOf } from "../../../roles/server/listener.ts";
import { GMS_URI } from "../memory-gms.ts";
import { ALICE, GROUP_PATH, keysPath, sharedXcapWorld } from "./xcap.ts";

const PAGE = "https://app.example.org";
const config = { limits: { requestTimeout: 1, bodyBytes: 2048 }, browserOrigins: [PAGE] };
const world = sharedXcapWorld({ config });
let url: string;
let token: string;
beforeAll(async () => {
  await world.it.app.listen({ host: "127.0.0.1", port: 0 });
  url = urlOf(world.it.app, "http", "127.0.0.1");
  token = await world.it.token(ALICE);
});

/** All that comes until the server closes. */
async function raw(text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  let said = "";
  socket.setEncoding("latin1").on("data", (part) => {
    said += part;
  });
  socket.on("error", () => {});
  socket.write(text);
  await once(socket, "close");
  return said;
}

const fetchAs = (path: string, init: RequestInit = {}) =>
  fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });

describe("slow XCAP clients", () => {
  it.each([
    ["in the midst of the headers", `GET ${keysPath(ALICE)} HTTP/1.1\r\nHost: x\r\nAuthor`],
    [
      "in the midst of the body",
      `POST ${keysPath(ALICE)} HTTP/1.1\r\nHost: x\r\nContent-Type: ${MEDIA.gktpReport}\r\nContent-Length: 100\r\n\r\n<rep`,
    ],
  ])("that stop %s are answered 408, counted, and disconnected", async (_, text) => {
    world.it.counted.length = 0;
    const said = raw(text);
    expect((await fetchAs(keysPath(ALICE))).status).toBe(200);
    expect(await said).toMatch(/^HTTP\/1\.1 408 /);
    expect(world.it.counted).toContain("other TIMEOUT");
  });
});

it("HEAD describes a group document without its body", async () => {
  const authorisation = `Authorization: Bearer ${token}\r\nConnection: close`;
  const said = await raw(`HEAD ${GROUP_PATH} HTTP/1.1\r\nHost: x\r\n${authorisation}\r\n\r\n`);
  expect(said).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\netag: "[\s\S]*\r\n\r\n$/);
  expect(said.toLowerCase()).toContain(`\r\ncontent-type: ${MEDIA.group}\r\n`);
});

describe("malformed XCAP requests", () => {
  it("are answered 400", async () => {
    expect(await raw("GET / HTTP/1.1\r\nHost x\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
    expect(await raw("NONSENSE\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("with a body that is too large are refused, announced or not", async () => {
    const init = { method: "POST", headers: { "content-type": MEDIA.gktpReport } };
    expect((await fetchAs(keysPath(ALICE), { ...init, body: "x".repeat(3000) })).status).toBe(413);
    const chunk = `${(3000).toString(16)}\r\n${"x".repeat(3000)}\r\n0\r\n\r\n`;
    const head = `POST ${keysPath(ALICE)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${MEDIA.gktpReport}\r\n`;
    expect(await raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("with an unknown method are refused with the list of methods", async () => {
    const said = await raw(`PROPFIND ${GROUP_PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(said).toMatch(/^HTTP\/1\.1 405 /);
    expect(said).toMatch(/\r\nallow: GET, HEAD, PUT, DELETE, POST\r\n/i);
  });

  it("do not include paths that are encoded or plain", async () => {
    const plain = GROUP_PATH.replace("sip%3Afire%40", "sip:fire@");
    const head = `Host: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n`;
    for (const path of [GROUP_PATH, plain]) {
      expect(await raw(`GET ${path} HTTP/1.1\r\n${head}\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
    }
    const away = GROUP_PATH.replace("/global/", "/x/../global/");
    expect(await raw(`GET ${away} HTTP/1.1\r\n${head}\r\n`)).toMatch(/^HTTP\/1\.1 404 /);
  });
});

describe("pages that ask the XCAP server", () => {
  it("from configured origins are answered, and read the entity tag", async () => {
    const preflight = await fetch(`${url}${GROUP_PATH}`, {
      method: "OPTIONS",
      headers: { origin: PAGE, "access-control-request-method": "PUT" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-methods")).toContain("PUT");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("if-none-match");
    const got = await fetchAs(GROUP_PATH, { headers: { origin: PAGE } });
    expect(got.headers.get("access-control-allow-origin")).toBe(PAGE);
    expect(got.headers.get("access-control-expose-headers")).toContain("etag");
  });

  it("from other origins are not answered", async () => {
    const headers = { origin: "https://evil.example" };
    const preflight = await fetch(`${url}${GROUP_PATH}`, { method: "OPTIONS", headers });
    expect(preflight.status).toBe(405);
    expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("XCAP over HTTPS", () => {
  const { certificate: cert, key } = selfSigned(["localhost", "127.0.0.1"], Date.now(), 2);
  let app: ReturnType<typeof createXcapServer>;
  let port: number;
  beforeAll(async () => {
    const tokens = world.it.issuer.verifier(GMS_URI);
    app = createXcapServer({ context: world.it.core.context, tokens, credentials: { cert, key } });
    await app.listen({ host: "127.0.0.1", port: 0 });
    ({ port } = app.server.address() as AddressInfo);
  });
  afterAll(() => stopServer(app, 1000));

  it("gives a member its keys", async () => {
    const headers = { authorization: `Bearer ${token}` };
    const options = { host: "127.0.0.1", port, path: keysPath(ALICE), ca: cert, agent: false, headers };
    const sent = request(options).end();
    const [answer] = await once(sent, "response");
    expect(answer.statusCode).toBe(200);
    answer.resume();
    await once(answer, "end");
  });

  it("answers nothing in clear", async () => {
    await expect(fetch(`http://127.0.0.1:${port}${keysPath(ALICE)}`)).rejects.toThrow();
  });
});
