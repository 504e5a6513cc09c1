/** An MC client with nothing of ours: SIPp speaks SIP through Kamailio as IMS core, wolfSSL makes and opens its keys. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fromHex, toHex } from "../../../base/bytes.ts";
import { ALICE, BOB, MCX, McxWorld, tokenOf } from "../../mcx/signalling/mcx-server.ts";
import { KAMAILIO, type SipProxy, startKamailio } from "../../sip/support/kamailio.ts";
import { runSipp, SIPP } from "../../sip/support/sipp.ts";
import { describeWithAll } from "../../support/foreign.ts";
import { GMS_URI } from "../memory-gms.ts";
import { GROUP, HOST, OPERATOR, type RunningGms, startGms } from "./running-gms.ts";

const PROGRAMS = {
  SIPp: SIPP,
  Kamailio: KAMAILIO,
  cc: "/usr/bin/cc",
  "libwolfssl-dev": "/usr/include/wolfssl/wolfcrypt/sakke.h",
};
const SOURCE = fileURLToPath(new URL("wolfssl/client.c", import.meta.url));
const SCENARIO = new URL("sipp/ims-client.xml", import.meta.url);
const IMS_CORE = new URL("../../mcx/signalling/ims-core.cfg", import.meta.url);
const PASSWORD = "of-the-home-network";
const TRUSTED = { udpPort: 0, tcpPort: 0, trustedProxies: [HOST] };

describeWithAll(PROGRAMS, "a client that is SIPp with wolfSSL, behind Kamailio", () => {
  const folder = mkdtempSync(join(tmpdir(), "wolfssl-"));
  const program = join(folder, "client");
  let running: RunningGms;
  let mcx: McxWorld;
  let core: SipProxy;
  beforeAll(async () => {
    execFileSync("cc", ["-Wall", "-Werror", "-O1", "-o", program, SOURCE, "-lwolfssl"]);
    running = await startGms({ config: { sip: { host: HOST, ...TRUSTED } } });
    mcx = await McxWorld.create({ sip: TRUSTED });
    const defines = { PASSWORD, SERVER: mcx.address, GMS: `sip:${HOST}:${running.udp}` };
    core = await startKamailio({ config: IMS_CORE, defines });
  });
  afterAll(async () => {
    await running?.close();
    await mcx?.close();
    await core?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Keys of a user for the program, which works out identifiers and key periods by itself. */
  function keyLines(user: string): string {
    const { home } = running.world;
    const { certificate } = home;
    const { rsk, ssk, pvt } = home.keySet(user, Date.now());
    const octets = { zt: certificate.pubEncKey, kpak: certificate.pubAuthKey, rsk, ssk, pvt };
    return [
      `user ${user}`,
      `kms ${certificate.kmsUri}`,
      `period ${certificate.userKeyPeriod}`,
      `offset ${certificate.userKeyOffset}`,
      `time ${Math.floor(Date.now() / 1000)}`,
      ...Object.entries(octets).map(([name, value]) => `${name} ${toHex(value)}`),
      "\n",
    ].join("\n");
  }

  const client = (command: readonly string[], input: string) =>
    execFileSync(program, command, { input, encoding: "utf8" }).trim().split(" ");

  it.each([
    ["UDP", "u1", ALICE, "a1"],
    ["TCP", "t1", BOB, "b1"],
  ] as const)(
    "registers over %s, uploads a CSK, subscribes, and opens the group key that comes",
    async (name, mode, user, ims) => {
      const { admin } = running.gms;
      const groupUri = `${GROUP}-${name}`;
      await admin.createGroup(OPERATOR, { uri: groupUri, members: [{ uri: user }] });
      await running.sealed(groupUri);
      const [gmk] = await admin.gmks(groupUri);
      const cskFile = join(folder, `csk-${name}`);
      const [cskId, csk] = client(["seal", MCX, cskFile], keyLines(user));
      const words = {
        ims,
        mcx_token: tokenOf(user),
        gms_token: await running.token(user),
        gktp: `org.3gpp.MCPTT-GKTP/users/${encodeURIComponent(user)}/`,
      };
      const run = await runSipp(SCENARIO, {
        mode,
        port: core.port,
        calls: 1,
        words,
        files: { csk: readFileSync(cskFile) },
        login: { user: ims, password: PASSWORD },
      });
      expect(run).toEqual({ code: 0, errors: "", log: [expect.stringMatching(/^[0-9A-F]+$/)] });

      const bound = mcx.clients.of(user)[0]!;
      expect(bound.asserted).toEqual([`sip:${ims}@home1.net`]);
      expect(bound.sending()!.keyId.toString(16)).toBe(cskId);
      expect(toHex(bound.sending()!.reveal())).toBe(csk);

      const message = run.log[0]!;
      const openGmk = (hex: string) => client(["open", GMS_URI], `${keyLines(user)}${hex}\n`);
      const [gmkId, key] = openGmk(message);
      expect(Number.parseInt(gmkId!, 16)).toBe(gmk!.gmkId);
      const opened = await running.world.open(fromHex(message), user, { now: Date.now() });
      if (opened.outcome !== "accepted") throw new Error(`revoked: ${opened.code}`);
      expect(key).toBe(toHex(opened.key.reveal()));
      // The first digit of RAND, behind HDR, T and two octets.
      const altered = message.replace(/(?<=^.{44})./, (digit) => (digit === "0" ? "1" : "0"));
      expect(() => openGmk(altered)).toThrow("the signature does not verify");
    },
  );
});
