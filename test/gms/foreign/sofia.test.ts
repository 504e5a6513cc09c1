/** An MC client with nothing of ours: a program on Sofia-SIP behind Kamailio as IMS core, wolfSSL makes and opens its keys. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, it } from "vitest";
import { ALICE, BOB } from "../../mcx/signalling/mcx-server.ts";
import { compileC } from "../../support/compile-c.ts";
import { describeWithAll } from "../../support/foreign.ts";
import { IMS_HOME, ImsHome } from "./ims-home.ts";
import { HOST } from "./running-gms.ts";

const INCLUDED = "/usr/include/sofia-sip-1.12";
const PROGRAMS = { "libsofia-sip-ua-dev": `${INCLUDED}/sofia-sip/nua.h`, ...IMS_HOME };
const SOURCE = new URL("sofia/ims-client.c", import.meta.url);

describeWithAll(PROGRAMS, "a client that is Sofia-SIP with wolfSSL, behind Kamailio", () => {
  let home: ImsHome;
  let program: string;
  beforeAll(async () => {
    home = await ImsHome.start();
    program = join(home.wolfssl.folder, "sofia");
    compileC(SOURCE, program, "-I", INCLUDED, "-lsofia-sip-ua");
  });
  afterAll(() => home?.close());

  it.each([
    ["UDP", ALICE, "a1"],
    ["TCP", BOB, "b1"],
  ] as const)(
    "registers over %s, uploads a CSK, subscribes, and opens the group key that comes",
    (transport, user, ims) =>
      home.expectKeys(user, ims, async ({ port, password, mcxToken, gmsToken, gktp, cskFile }) => {
        const proxy = `sip:${HOST}:${port};transport=${transport.toLowerCase()}`;
        const args = [proxy, ims, password, mcxToken, gmsToken, gktp, cskFile];
        const { stdout } = await promisify(execFile)(program, args);
        return stdout.trim();
      }),
  );
});
