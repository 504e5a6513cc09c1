/** A store key that a PKCS#11 token wraps (SoftHSM): the KMS issues keys, and the token's key is not in its memory. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../../support/foreign.ts";
import { foundInMemory } from "../../support/process-memory.ts";
import { runCli } from "../run-cli.ts";
import { cli, provisionArgs, STORY_MS, serveKms } from "./kms-process.ts";

const SOFTHSM = "/usr/bin/softhsm2-util";
const MODULE = "/usr/lib/softhsm/libsofthsm2.so";
const BINDING = new URL("../../../node_modules/pkcs11js/build/Release/pkcs11.node", import.meta.url);
const PIN = "271828";
const VARIABLES = ["SOFTHSM2_CONF", "MIKEY_SAKKE_PKCS11_PIN"] as const;
const uriOf = (object: string) => `pkcs11:token=agency;object=${object}?module-path=${MODULE}`;

/** The AES key "store" of the token, which only this test knows; and "loose", which may leave the token. */
const tokenKey = randomBytes(32);

async function makeToken(folder: string): Promise<void> {
  await mkdir(join(folder, "tokens"));
  const conf = join(folder, "softhsm2.conf");
  await writeFile(conf, `directories.tokendir = ${join(folder, "tokens")}\nobjectstore.backend = file\n`);
  process.env.SOFTHSM2_CONF = conf;
  process.env.MIKEY_SAKKE_PKCS11_PIN = PIN;
  const init = ["--init-token", "--free", "--label", "agency", "--pin", PIN, "--so-pin", PIN];
  execFileSync(SOFTHSM, init, { stdio: "ignore" });
  const { default: api } = await import("pkcs11js");
  const module = new api.PKCS11();
  module.load(MODULE);
  module.C_Initialize();
  try {
    const slot = module
      .C_GetSlotList(true)
      .find((one) => module.C_GetTokenInfo(one).label.trim() === "agency");
    const session = module.C_OpenSession(slot!, api.CKF_SERIAL_SESSION | api.CKF_RW_SESSION);
    module.C_Login(session, api.CKU_USER, PIN);
    for (const [label, loose] of [
      ["store", false],
      ["loose", true],
    ] as const) {
      module.C_CreateObject(session, [
        { type: api.CKA_CLASS, value: api.CKO_SECRET_KEY },
        { type: api.CKA_KEY_TYPE, value: api.CKK_AES },
        { type: api.CKA_LABEL, value: label },
        { type: api.CKA_VALUE, value: tokenKey },
        { type: api.CKA_TOKEN, value: true },
        { type: api.CKA_PRIVATE, value: true },
        { type: api.CKA_SENSITIVE, value: !loose },
        { type: api.CKA_EXTRACTABLE, value: loose },
        { type: api.CKA_ENCRYPT, value: true },
        { type: api.CKA_DECRYPT, value: true },
      ]);
    }
  } finally {
    module.C_Finalize();
    module.close();
  }
}

describeWith("SoftHSM", SOFTHSM, "a store key wrapped by a PKCS#11 token", () => {
  // `npm explore pkcs11js -- node-gyp rebuild` makes it; .ci/run does.
  if (!existsSync(BINDING) && process.env.CI) throw new Error("the binding of pkcs11js was not built");
  const withBinding = it.skipIf(!existsSync(BINDING));
  if (!existsSync(BINDING)) console.warn("skipped: the binding of pkcs11js is missing");
  const before = VARIABLES.map((name) => process.env[name]);
  let folder: string;
  let data: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "token-"));
    data = join(folder, "data");
    if (existsSync(BINDING)) await makeToken(folder);
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    VARIABLES.forEach((name, i) => {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    });
  });

  withBinding(
    "serves keys, and has the token's key nowhere in its memory",
    { timeout: STORY_MS },
    async () => {
      const first = await serveKms(data);
      await first.end("SIGTERM");
      const plain = (await readFile(join(data, "store.key"), "utf8")).trim();
      await cli("kms", "rotate-store-key", "--pkcs11", uriOf("store"), "--data-dir", data);
      const [uri, wrapped] = (await readFile(join(data, "store.key"), "utf8")).split("\n");
      expect(uri).toBe(uriOf("store"));
      expect(wrapped).toMatch(/^[0-9a-f]{120}$/);
      expect(wrapped).not.toContain(plain);

      const kms = await serveKms(data);
      const out = join(data, "..", "alice");
      await cli(...provisionArgs(kms, "sip:alice@example.org", out));
      expect(await readFile(join(out, "keys.xml"), "utf8")).toContain("KmsKeySet");
      // The mark of the search: what is in the memory is found.
      const marks = [Buffer.from(kms.kmsUri), tokenKey, Buffer.from(tokenKey.toString("hex"))];
      expect(foundInMemory(kms.pid, marks)).toEqual([marks[0]]);

      // With the token still there, the next key is wrapped as well.
      await cli("kms", "rotate-store-key", "--data-dir", data);
      const [again, next] = (await readFile(join(data, "store.key"), "utf8")).split("\n");
      expect(again).toBe(uriOf("store"));
      expect(next).not.toBe(wrapped);
      await kms.end("SIGTERM");
      expect((await cli("kms", "user", "list", "--data-dir", data)).json()).toMatchObject({ status: "ok" });
    },
  );

  withBinding("is refused with the reason: PIN, token, key, and a key that may leave the token", async () => {
    const users = () => runCli(["kms", "user", "list", "--data-dir", data, "--json"]);
    const codeOf = async () => (await users()).json<{ code: string }>().code;
    process.env.MIKEY_SAKKE_PKCS11_PIN = "000000";
    expect(await codeOf()).toBe("PKCS11_FAILED");
    delete process.env.MIKEY_SAKKE_PKCS11_PIN;
    expect(await codeOf()).toBe("PKCS11_PIN_MISSING");
    process.env.MIKEY_SAKKE_PKCS11_PIN = PIN;
    const file = join(data, "store.key");
    const good = await readFile(file, "utf8");
    for (const [bad, code] of [
      [good.replace("token=agency", "token=other"), "PKCS11_KEY"],
      [good.replace("object=store", "object=none"), "PKCS11_KEY"],
      [good.replace("object=store", "object=loose"), "PKCS11_KEY"],
      [good.replace("object=store", "id=1"), "BAD_PKCS11_URI"],
      [`${uriOf("store")}\nabc\n`, "BAD_KEY_FILE"],
      [good.replace(/.\n$/, (end) => (end === "0\n" ? "1\n" : "0\n")), "PKCS11_FAILED"],
    ] as const) {
      await writeFile(file, bad);
      expect(await codeOf(), bad).toBe(code);
    }
    await writeFile(file, good);
    expect((await users()).status).toBe(0);
  });
});
