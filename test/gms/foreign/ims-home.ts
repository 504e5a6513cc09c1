/** A GMS and an MCX server behind Kamailio as IMS core, for clients with nothing of ours, whose keys are of wolfSSL. */
import { join } from "node:path";
import { expect } from "vitest";
import { fromHex, toHex } from "../../../base/bytes.ts";
import { MCX, McxWorld, tokenOf } from "../../mcx/signalling/mcx-server.ts";
import { KAMAILIO, type SipProxy, startKamailio } from "../../sip/support/kamailio.ts";
import { GROUP, HOST, OPERATOR, type RunningGms, startGms } from "./running-gms.ts";
import { WOLFSSL, WolfsslClient } from "./wolfssl.ts";

/** For `describeWithAll`. */
export const IMS_HOME = { Kamailio: KAMAILIO, ...WOLFSSL };
const IMS_CORE = new URL("../../mcx/signalling/ims-core.cfg", import.meta.url);
const PASSWORD = "of-the-home-network";
const TRUSTED = { udpPort: 0, tcpPort: 0, trustedProxies: [HOST] };

/** The facts that a client needs. */
export interface ImsLogin {
  /** Name in home1.net. */
  readonly ims: string;
  readonly password: string;
  readonly mcxToken: string;
  readonly gmsToken: string;
  /** The GKTP documents of the user from the XCAP root. */
  readonly gktp: string;
  /** Holds the I_MESSAGE with the CSK. */
  readonly cskFile: string;
  /** Port of the core on HOST. */
  readonly port: number;
}

export class ImsHome {
  readonly running: RunningGms;
  readonly wolfssl: WolfsslClient;
  readonly #mcx: McxWorld;
  readonly #core: SipProxy;

  private constructor(running: RunningGms, mcx: McxWorld, core: SipProxy) {
    this.running = running;
    this.#mcx = mcx;
    this.#core = core;
    this.wolfssl = new WolfsslClient(running.world);
  }

  static async start(): Promise<ImsHome> {
    const running = await startGms({ config: { sip: { host: HOST, ...TRUSTED } } });
    const mcx = await McxWorld.create({ sip: TRUSTED });
    const defines = { PASSWORD, SERVER: mcx.address, GMS: `sip:${HOST}:${running.udp}` };
    return new ImsHome(running, mcx, await startKamailio({ config: IMS_CORE, defines }));
  }

  async close(): Promise<void> {
    await this.running.close();
    await this.#mcx.close();
    await this.#core.stop();
    this.wolfssl.remove();
  }

  /**
   * Expects of `client`, which returns the I_MESSAGE that came to it in hexadecimal, that the MCX server has got its CSK, and
   * that wolfSSL opens the key of a group of its own.
   */
  async expectKeys(user: string, ims: string, client: (login: ImsLogin) => Promise<string>): Promise<void> {
    const { gms, world } = this.running;
    const groupUri = `${GROUP}-${ims}`;
    await gms.admin.createGroup(OPERATOR, { uri: groupUri, members: [{ uri: user }] });
    await this.running.sealed(groupUri);
    const [gmk] = await gms.admin.gmks(groupUri);
    const cskFile = join(this.wolfssl.folder, `csk-${ims}`);
    const { cskId, csk } = this.wolfssl.seal(user, MCX, cskFile);
    const message = await client({
      ims,
      password: PASSWORD,
      mcxToken: tokenOf(user),
      gmsToken: await this.running.token(user),
      gktp: `org.3gpp.MCPTT-GKTP/users/${encodeURIComponent(user)}/`,
      cskFile,
      port: this.#core.port,
    });

    const bound = this.#mcx.clients.of(user)[0]!;
    expect(bound.asserted).toEqual([`sip:${ims}@home1.net`]);
    expect(bound.sending()!.keyId.toString(16)).toBe(cskId);
    expect(toHex(bound.sending()!.reveal())).toBe(csk);

    const opened = await world.open(fromHex(message), user, { now: Date.now() });
    if (opened.outcome !== "accepted") throw new Error(`revoked: ${opened.code}`);
    expect(this.wolfssl.open(user, message)).toEqual({
      gmkId: gmk!.gmkId,
      gmk: toHex(opened.key.reveal()),
    });
    // The first digit of RAND, behind HDR, T and two octets.
    const altered = message.replace(/(?<=^.{44})./, (digit) => (digit === "0" ? "1" : "0"));
    expect(() => this.wolfssl.open(user, altered)).toThrow("the signature does not verify");
  }
}
