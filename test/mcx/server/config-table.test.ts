/** The table of docs/mcx.md against the schema of the configuration. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { mcxConfigSchema, parseMcxConfig } from "../../../roles/mcx/common/config.ts";
import { configKeys, shownDefault } from "../../../roles/server/config-keys.ts";

const document = readFileSync(new URL("../../../docs/mcx.md", import.meta.url), "utf8");

it("docs/mcx.md lists every key of the configuration with its default", () => {
  const listed = Array.from(document.matchAll(/^\| `([\w.]+)` \| (.*?) \|/gm), ([, key, value]) => [
    key,
    value,
  ]);
  const keys = configKeys(mcxConfigSchema).map((key) => [key.path.join("."), shownDefault(key)]);
  expect(listed).toEqual(keys);
});

it.each([
  ["a key that is unknown", { speaker: 2 }, "speaker"],
  ["an admin listener for everybody", { admin: { host: "0.0.0.0" } }, "admin.host"],
  ["UDP without TCP", { sip: { udpPort: 5070 } }, "sip.tcpPort"],
  ["half a range of ports", { media: { firstPort: 5000 } }, "media.lastPort"],
  [
    "a multicast address that is none",
    { media: { multicast: { firstAddress: "10.0.0.1", port: 5000 } } },
    "firstAddress",
  ],
  ["a host that is no address", { media: { host: "mcx.example.org" } }, "media.host"],
])("the MCX server's configuration is refused with %s", (_, change, named) => {
  const config = { mcxUri: "sip:mcx@example.org", kmsUri: "kms.example.org", ...change };
  expect(() => parseMcxConfig(config)).toThrow(expect.objectContaining({ code: "BAD_CONFIG" }));
  expect(() => parseMcxConfig(config)).toThrow(named);
});
