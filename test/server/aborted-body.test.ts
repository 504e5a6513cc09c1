/** A peer that breaks off in the midst of a body costs its own connection, and nothing else. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemRandom } from "../../base/random.ts";
import { createListener, urlOf } from "../../roles/server/listener.ts";

const HOST = "127.0.0.1";
const BODY_BYTES = 1000;
const app = createListener({ bodyBytes: BODY_BYTES, requestTimeout: 10, random: systemRandom });
let url: string;
let port: number;

/** Errors that would end a server of its own. */
const uncaught: unknown[] = [];
const note = (error: unknown) => uncaught.push(error);

beforeAll(async () => {
  app.route({
    method: ["GET", "POST"],
    url: "/",
    handler: async () => {
      // The handler waits, as one does that asks a database, while the connection ends.
      await new Promise((resolve) => setTimeout(resolve, 20));
      return "ok";
    },
  });
  await app.listen({ host: HOST, port: 0 });
  url = urlOf(app, "http", HOST);
  port = Number(new URL(url).port);
  process.on("uncaughtException", note);
});
afterAll(async () => {
  process.off("uncaughtException", note);
  await app.close();
});

const GET = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n`;
const HEAD = `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Type: text/plain\r\n`;
const chunk = (octets: number) => `${octets.toString(16)}\r\n${"x".repeat(octets)}\r\n`;

it.each([
  [
    "that is too long, once it was refused",
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunk(2 * BODY_BYTES)}`,
    true,
  ],
  ["that is too long, at once", `${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunk(2 * BODY_BYTES)}`, false],
  ["of which a part has come", `${HEAD}Content-Length: 900\r\n\r\n${"x".repeat(400)}`, false],
  ["of which nothing has come", `${HEAD}Content-Length: 900\r\n\r\n`, false],
  ["of a GET, which nobody reads", `${GET}Content-Length: 900\r\n\r\n${"x".repeat(400)}`, false],
  ["of a GET in chunks", `${GET}Transfer-Encoding: chunked\r\n\r\n${chunk(100)}`, false],
])("the server goes on after a body %s", async (_, sent, waits) => {
  for (let i = 0; i < 20; i++) {
    const socket = connect(port, HOST);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write(sent);
    if (waits) expect(String((await once(socket, "data"))[0])).toContain(" 413 ");
    else await new Promise((resolve) => setTimeout(resolve, i % 4));
    socket.resetAndDestroy();
  }
  expect((await fetch(url)).status).toBe(200);
  expect(uncaught).toEqual([]);
});
