/** Requests of those without a token: bodies with whatever names, and as many as they like. */
import { afterEach, expect, it } from "vitest";
import { overTcp } from "./attacker.ts";
import { McxWorld } from "./mcx-server.ts";

let world: McxWorld;
afterEach(() => world.close());

const UNAUTHORISED = "SIP/2.0 401 Unauthorized";
const port = () => Number(world.address.split(":").at(-1));
let number = 0;

function message(method: string, contentType: string, body: string): Uint8Array {
  number++;
  const head = [
    `${method} sip:mcx@home.example SIP/2.0`,
    `Via: SIP/2.0/TCP x.invalid;branch=z9hG4bK${number};rport`,
    "From: <sip:eve@home.example>;tag=1",
    "To: <sip:mcx@home.example>",
    `Call-ID: ${number}`,
    `CSeq: 1 ${method}`,
    "Event: poc-settings",
    "Contact: <sip:eve@127.0.0.1:9;transport=tcp>",
    `Content-Type: ${contentType}`,
    `Content-Length: ${body.length}`,
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
}

it("names of object properties in body parts and their headers are names like any others", async () => {
  world = await McxWorld.create();
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    const part = `--${name}\r\n${name}: polluted\r\nContent-Type: ${name}/${name}; ${name}=1\r\n\r\n{}\r\n`;
    const body = `${part}--${name}--\r\n`;
    for (const method of ["MESSAGE", "INVITE", "PUBLISH"]) {
      for (const type of [`multipart/mixed; boundary=${name}`, `${name}/${name}; ${name}=1`]) {
        expect(await overTcp(port(), message(method, type, body)), `${method} ${type}`).toBe(UNAUTHORISED);
      }
    }
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
});

it("refusals of one kind have three lines in the log, however many there are", async () => {
  world = await McxWorld.create();
  for (let n = 0; n < 20; n++) {
    expect(await overTcp(port(), message("MESSAGE", "text/plain", "x"))).toBe(UNAUTHORISED);
  }
  expect(world.counts.refused_token_missing).toBe(20);
  expect(world.refusals).toEqual(
    Array(3).fill({
      reason: "TOKEN_MISSING",
      transport: "TCP",
      source: "127.0.0.1",
      detail: expect.stringContaining("MESSAGE: "),
    }),
  );
});
