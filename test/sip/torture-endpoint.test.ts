/** Tests what an endpoint does with the messages of RFC 4475 that come to it as datagrams. */
import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { CLIENT, SERVER, World } from "./support/endpoints.ts";

const load = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../vectors/sip/${name}.dat`, import.meta.url)));

let world: World;
beforeEach(async () => {
  world = await new World().start();
  for (const method of ["INVITE", "REGISTER", "MESSAGE"]) {
    world.server.onRequest(method, () => ({ status: 202 }));
  }
});

/** The first line of what comes back on the flow that the message came on. */
async function answerTo(name: string): Promise<string | undefined> {
  const flow = await world.network.udp(CLIENT).connect(SERVER);
  await flow.send(load(name));
  await world.clock.pass(5);
  return world.lines[1];
}

describe("an endpoint answers the RFC 4475 message", () => {
  it.each([
    ["badvers", "505 Version Not Supported"],
    ["mismatch01", "400 Bad Request"],
    ["escruri", "400 Bad Request"],
    ["clerr", "400 Bad Request"],
    ["baddate", "202 Accepted"],
    ["multi01", "400 Bad Request"],
    ["unkscm", "416 Unsupported URI Scheme"],
    ["novelsc", "416 Unsupported URI Scheme"],
    ["bext01", "420 Bad Extension"],
    ["badbranch", "200 OK"],
    ["zeromf", "200 OK"],
    ["unksm2", "202 Accepted"],
    ["regescrt", "202 Accepted"],
    ["cparam01", "202 Accepted"],
    ["regaut01", "202 Accepted"],
    ["inv2543", "202 Accepted"],
    ["intmeth", "405 Method Not Allowed"],
    ["longreq", "202 Accepted"],
  ])("%s with %s", async (name, line) => {
    expect(await answerTo(name)).toBe(line);
  });

  it.each(["bcast", "bigcode", "scalarlg", "noreason", "unreason"])(
    "%s with nothing, as a response",
    async (name) => {
      expect(await answerTo(name)).toBeUndefined();
      const { malformed, strayResponses } = world.server.counters;
      expect(malformed + strayResponses).toBe(1);
    },
  );

  it.each(["insuf", "scalar02", "badinv01", "ncl"])("%s with 400 or nothing, and goes on", async (name) => {
    expect(["400 Bad Request", undefined]).toContain(await answerTo(name));
    expect(world.server.counters.malformed).toBe(1);
  });
});
