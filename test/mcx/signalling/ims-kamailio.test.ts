/** Our client and server with Kamailio as a small IMS core between them: REGISTER, P-Asserted-Identity, Record-Route. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { utf8 } from "../../../bindings/index.ts";
import { PAYLOAD_CONTENT_TYPES } from "../../../bindings/mcdata/index.ts";
import { KAMAILIO, type SipProxy, startKamailio } from "../../sip/support/kamailio.ts";
import { describeWith } from "../../support/foreign.ts";
import { ALICE, BOB, GROUP, McxWorld, NAMES, until } from "./mcx-server.ts";

const PASSWORD = "of the home network";

describeWith("Kamailio", KAMAILIO, "clients behind an IMS core", () => {
  let world: McxWorld;
  let core: SipProxy;
  beforeAll(async () => {
    world = await McxWorld.create({ sip: { udpPort: 0, tcpPort: 0, trustedProxies: ["127.0.0.1"] } });
    world.directory.groups.set(GROUP, new Set(NAMES));
    core = await startKamailio({
      config: new URL("ims-core.cfg", import.meta.url),
      defines: { PASSWORD, SERVER: world.address },
    });
  });
  afterAll(async () => {
    await world?.close();
    await core?.stop();
  });

  it("register, are bound, are in a call, and send and get short data, with one token each", async () => {
    const place = { port: core.port, password: PASSWORD };
    const [alice, bob] = [
      await world.device(ALICE, { ims: "sip:a1@home1.net", core: place }),
      await world.device(BOB, { ims: "sip:b1@home1.net", core: place }),
    ];
    for (const { client } of [alice, bob]) await client.bind();
    expect(world.clients.of(ALICE)[0]!.asserted).toEqual(["sip:a1@home1.net"]);
    const ends: string[] = [];
    const atAlice = await alice.client.call(GROUP);
    await bob.client.call(GROUP, { onEnd: (end) => ends.push(end) });
    expect(world.sessions.states()[0]!.participants).toEqual([ALICE, BOB]);
    const text = { contentType: PAYLOAD_CONTENT_TYPES.TEXT, data: utf8("to the north gate") };
    await alice.client.send(GROUP, [text]);
    const got = () => bob.events.filter(({ type }) => type === "data");
    await until(() => got().length > 0);
    expect(got()[0]).toMatchObject({ from: ALICE });
    // BYE by way of the core, in both directions.
    world.directory.remove(GROUP, BOB);
    await until(() => ends.length > 0);
    await atAlice.hangUp();
    await until(() => world.sessions.groups().length === 0);
  });

  it("are refused with another's password, and none of their requests reaches the server", async () => {
    const wrong = { port: core.port, password: "guessed" };
    const device = world.device(ALICE, { ims: "sip:a1@home1.net", core: wrong });
    await expect(device).rejects.toMatchObject({ code: "IMS_REFUSED" });
    const methods = world.recorded.map((bytes) => Buffer.from(bytes).toString("latin1").split(" ")[0]);
    expect(methods).not.toContain("REGISTER");
  });
});
