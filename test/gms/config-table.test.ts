/** The table of docs/gms.md against the schema of the configuration. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { gmsConfigSchema } from "../../roles/gms/common/config.ts";
import { configKeys, shownDefault } from "../../roles/server/config-keys.ts";

const document = readFileSync(new URL("../../docs/gms.md", import.meta.url), "utf8");

it("docs/gms.md lists every key of the configuration with its default", () => {
  const listed = Array.from(document.matchAll(/^\| `([\w.]+)` \| (.*?) \|/gm), ([, key, value]) => [
    key,
    value,
  ]);
  const keys = configKeys(gmsConfigSchema).map((key) => [key.path.join("."), shownDefault(key)]);
  expect(listed).toEqual(keys);
});
