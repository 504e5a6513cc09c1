/** An MC client with nothing of ours: SIPp speaks SIP through Kamailio as IMS core, wolfSSL makes and opens its keys. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ALICE, BOB } from "../../mcx/signalling/mcx-server.ts";
import { runSipp, SIPP } from "../../sip/support/sipp.ts";
import { describeWithAll } from "../../support/foreign.ts";
import { IMS_HOME, ImsHome } from "./ims-home.ts";

const SCENARIO = new URL("sipp/ims-client.xml", import.meta.url);

describeWithAll({ SIPp: SIPP, ...IMS_HOME }, "a client that is SIPp with wolfSSL, behind Kamailio", () => {
  let home: ImsHome;
  beforeAll(async () => {
    home = await ImsHome.start();
  });
  afterAll(() => home?.close());

  it.each([
    ["UDP", "u1", ALICE, "a1"],
    ["TCP", "t1", BOB, "b1"],
  ] as const)(
    "registers over %s, uploads a CSK, subscribes, and opens the group key that comes",
    (_, mode, user, ims) =>
      home.expectKeys(user, ims, async (login) => {
        const run = await runSipp(SCENARIO, {
          mode,
          port: login.port,
          calls: 1,
          words: { ims, mcx_token: login.mcxToken, gms_token: login.gmsToken, gktp: login.gktp },
          files: { csk: readFileSync(login.cskFile) },
          login: { user: ims, password: login.password },
        });
        expect(run).toEqual({ code: 0, errors: "", log: [expect.stringMatching(/^[0-9A-F]+$/)] });
        return run.log[0]!;
      }),
  );
});
