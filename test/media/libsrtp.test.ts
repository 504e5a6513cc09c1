/** libsrtp and we read each other's SRTP and SRTCP, with MKI, across a wrap of the sequence number. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fromHex, systemRandom, toHex } from "../../bindings/index.ts";
import { SrtcpReceiver, SrtcpSender, SrtpReceiver, SrtpSender } from "../../bindings/media/index.ts";
import { compileC } from "../support/compile-c.ts";
import { describeWith } from "../support/foreign.ts";
import { rtcp, rtp, text } from "./packets.ts";

const SOURCE = new URL("libsrtp/peer.c", import.meta.url);
const SSRC = 0xc0ffee01;

class Peer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(program: string, master: { key: Uint8Array; salt: Uint8Array }, mki: Uint8Array) {
    this.#child = spawn(program, [toHex(master.key) + toHex(master.salt), toHex(mki)]);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ask(command: string, packet: Uint8Array): Promise<string> {
    this.#child.stdin.write(`${command} ${toHex(packet)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the peer ended");
    return value;
  }

  end(): void {
    this.#child.stdin.end();
  }
}

describeWith(
  "libsrtp2-dev",
  "/usr/include/srtp2/srtp.h",
  "libsrtp opens our packets, and we open its packets:",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "libsrtp-"));
    const program = join(folder, "peer");
    const key = systemRandom(16);
    const salt = systemRandom(12);
    const master = () => ({ key: key.slice(), salt: salt.slice() });
    beforeAll(() => compileC(SOURCE, program, "-lsrtp2"));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it.each([8, 4])("SRTP with an MKI of %d octets", async (mkiBytes) => {
      const mki = systemRandom(mkiBytes);
      const peer = new Peer(program, master(), mki);
      const sender = await SrtpSender.create(master(), { ssrc: SSRC, mki, roc: undefined });
      const receiver = new SrtpReceiver({ mkiBytes, roc: undefined, resolve: master });
      for (let n = 0; n < 40; n++) {
        const clear = rtp(SSRC, (65_520 + n) % 65_536, text(`packet ${n}`));
        const ours = await sender.protect(clear);
        const theirs = await peer.ask("protect-rtp", clear);
        expect(theirs).toBe(toHex(ours));
        expect(await peer.ask("unprotect-rtp", ours)).toBe(toHex(clear));
        expect(await receiver.unprotect(fromHex(theirs))).toMatchObject({ ok: true, packet: clear });
      }
      expect(sender.roc).toBe(1);
      const changed = await sender.protect(rtp(SSRC, 100, text("x")));
      changed[14]! ^= 1;
      // srtp_err_status_auth_fail
      expect(await peer.ask("unprotect-rtp", changed)).toBe("error 7");
      peer.end();
    });

    it("SRTCP with an MKI of 4 octets", async () => {
      const mki = systemRandom(4);
      const peer = new Peer(program, master(), mki);
      const sender = await SrtcpSender.create(master(), { ssrc: SSRC, mki });
      const receiver = new SrtcpReceiver({ mkiBytes: 4, resolve: master });
      for (let n = 0; n < 10; n++) {
        const clear = rtcp(SSRC, text(`MCPT${String(n).padStart(8, "0")}`));
        const ours = await sender.protect(clear);
        const theirs = await peer.ask("protect-rtcp", clear);
        expect(theirs).toBe(toHex(ours));
        expect(await peer.ask("unprotect-rtcp", ours)).toBe(toHex(clear));
        expect(await receiver.unprotect(fromHex(theirs))).toMatchObject({ ok: true, packet: clear });
      }
      peer.end();
    });
  },
);
