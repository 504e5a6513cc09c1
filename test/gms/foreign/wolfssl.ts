/** Keys of a member made and opened by a program on wolfSSL, with no line of the package in it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "../../../base/bytes.ts";
import { CC, compileC } from "../../support/compile-c.ts";
import { GMS_URI, type World } from "../memory-gms.ts";

/** For `describeWithAll`. */
export const WOLFSSL = {
  cc: CC,
  "libwolfssl-dev": "/usr/include/wolfssl/wolfcrypt/sakke.h",
};

export class WolfsslClient {
  /** For files of tests as well. */
  readonly folder = mkdtempSync(join(tmpdir(), "wolfssl-"));
  readonly #program = join(this.folder, "client");
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    compileC(new URL("wolfssl/client.c", import.meta.url), this.#program, "-lwolfssl");
  }

  /** Draws a CSK of `user`, and writes its I_MESSAGE to the MC domain to `file`. */
  seal(user: string, mdsi: string, file: string): { readonly cskId: string; readonly csk: string } {
    const [cskId, csk] = this.#run(["seal", mdsi, file], this.#keyLines(user));
    return { cskId: cskId!, csk: csk! };
  }

  /** Opens an I_MESSAGE of the GMS for `user`, in hexadecimal. */
  open(user: string, message: string): { readonly gmkId: number; readonly gmk: string } {
    const [gmkId, gmk] = this.#run(["open", GMS_URI], `${this.#keyLines(user)}${message}\n`);
    return { gmkId: Number.parseInt(gmkId!, 16), gmk: gmk! };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #run(command: readonly string[], input: string): readonly string[] {
    return execFileSync(this.#program, command, { input, encoding: "utf8" }).trim().split(" ");
  }

  /** Keys of a user for the program, which works out identifiers and key periods by itself. */
  #keyLines(user: string): string {
    const { home } = this.#world;
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
}
