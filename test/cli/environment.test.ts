/** Secrets in files that variables of the environment name. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { configFileOf, readConfig } from "../../cli/server/data-folder.ts";
import { environmentOf, SECRET_VARIABLES } from "../../cli/server/environment.ts";
import { withStoreKey } from "../../cli/server/store-key.ts";
import { gmsConfigSchema } from "../../roles/gms/common/config.ts";
import { kmsConfigSchema } from "../../roles/kms/common/config.ts";
import { mcxConfigSchema } from "../../roles/mcx/common/config.ts";
import { configKeys, variableOf } from "../../roles/server/config-keys.ts";

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "environment-"));
  file = join(folder, "secret");
});
afterAll(() => rmSync(folder, { recursive: true }));

it.each(SECRET_VARIABLES)("%s_FILE names a file with the value, of which one line end is removed", (name) => {
  writeFileSync(file, "a secret\n\n");
  const environment = environmentOf({ OTHER: "1", [`${name}_FILE`]: file });
  expect(environment).toEqual({ OTHER: "1", [name]: "a secret\n" });
});

it("the environment has all secrets of a configuration: database places, the store key and a token's PIN", () => {
  const keys = [
    ["KMS", kmsConfigSchema],
    ["GMS", gmsConfigSchema],
    ["MCX", mcxConfigSchema],
  ] as const;
  const variables = keys.flatMap(([server, schema]) =>
    configKeys(schema)
      .filter(({ path }) => /^(?:url|listenUrl)$|password|secret|^d$/i.test(path.at(-1)!))
      .map(({ path }) => variableOf(`MIKEY_SAKKE_${server}`, path)),
  );
  expect([...SECRET_VARIABLES].sort()).toEqual(
    ["MIKEY_SAKKE_PKCS11_PIN", "MIKEY_SAKKE_STORE_KEY", ...variables].sort(),
  );
});

it("a value from a _FILE variable is used where the variable's own value would be", async () => {
  writeFileSync(configFileOf(folder), JSON.stringify({ kmsUri: "kms.example.org" }));
  writeFileSync(file, "postgresql://kms:hunter2@db/kms\n");
  const { kms } = await readConfig(
    configFileOf(folder),
    environmentOf({ MIKEY_SAKKE_KMS_DATABASE_URL_FILE: file }),
  );
  expect(kms).toMatchObject({ database: { url: "postgresql://kms:hunter2@db/kms" } });
  writeFileSync(file, `${"5a".repeat(32)}\r\n`);
  const environment = environmentOf({ MIKEY_SAKKE_STORE_KEY_FILE: file });
  const key = await withStoreKey({ file: "none", environment }, async (octets) => new Uint8Array(octets));
  expect(key).toEqual(new Uint8Array(32).fill(0x5a));
});

it("a _FILE variable is refused beside the variable itself, or for a missing, empty or large file, without its value", () => {
  const refused = (given: NodeJS.ProcessEnv) => {
    try {
      environmentOf(given);
    } catch (error) {
      return { code: (error as { code: string }).code, message: (error as Error).message };
    }
    return undefined;
  };
  const name = "MIKEY_SAKKE_STORE_KEY";
  writeFileSync(file, "hunter2");
  const both = refused({ [name]: "hunter3", [`${name}_FILE`]: file });
  expect(both).toEqual({
    code: "BAD_ENVIRONMENT",
    message: `${name} and ${name}_FILE: only one of them may be set`,
  });
  const missing = refused({ [`${name}_FILE`]: join(folder, "nowhere") });
  expect(missing?.message).toMatch(/^MIKEY_SAKKE_STORE_KEY_FILE: .*nowhere: no such file/);
  for (const content of ["\n", "x".repeat(70_000)]) {
    writeFileSync(file, content);
    expect(refused({ [`${name}_FILE`]: file })?.code).toBe("BAD_ENVIRONMENT");
  }
  // An empty name of a file counts as none.
  expect(environmentOf({ [`${name}_FILE`]: "" })).toEqual({});
});
