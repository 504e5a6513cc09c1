import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { requestUrl } from "../../cli/files/kms-url.ts";
import {
  integerOption,
  requireDistinct,
  timeOption,
  uriListFile,
  uriOption,
} from "../../cli/terminal/options.ts";
import { VERSION } from "../../cli/terminal/version.ts";
import packageJson from "../../package.json" with { type: "json" };
import { temporaryFolder } from "./run-cli.ts";

const usage = (code: string) => expect.objectContaining({ kind: "usage", code });

it.each([
  ["2026-01-31T12:00:00Z", Date.UTC(2026, 0, 31, 12)],
  ["2026-01-31T12:00:00", Date.UTC(2026, 0, 31, 12)],
  ["2026-01-31T12:00:00+01:00", Date.UTC(2026, 0, 31, 11)],
  ["2026-01-31", Date.UTC(2026, 0, 31)],
  ["@1767225600", 1767225600000],
])("time %s is read", (text, time) => {
  expect(timeOption(text, "--at")).toBe(time);
});

it('time "now" is the present time', () => {
  expect(Math.abs(timeOption("now", "--at") - Date.now())).toBeLessThan(1000);
});

it.each(["", "tomorrow", "1767225600", "2026-02-30", "2026-01-31 12:00", "@-1"])(
  "the time %j is refused",
  (text) => {
    expect(() => timeOption(text, "--at")).toThrow(usage("BAD_TIME"));
  },
);

it.each(["", "0", "11", "1.5", "1e1", "-1", "x"])(
  "the number %j is refused where 1 to 10 is allowed",
  (text) => {
    expect(() => integerOption(text, "--n", 1, 10)).toThrow(usage("BAD_NUMBER"));
  },
);

it.each(["", "sip:a b", "sip:a\n", "\0"])("the URI %j is refused", (text) => {
  expect(() => uriOption(text, "--user")).toThrow(usage("BAD_URI"));
});

describe("a list of URIs", () => {
  it("is read one a line, without comments and empty lines, URIs unchanged", async () => {
    const file = join(await temporaryFolder(), "members");
    await writeFile(file, "# group\r\n sip:Alice@example.org \r\n\ntel:+4512345678\n");
    expect(await uriListFile(file, process.stdin, "--members")).toEqual([
      "sip:Alice@example.org",
      "tel:+4512345678",
    ]);
    for (const line of ["bob@example.org", "__proto__", "mailto:bob@example.org"]) {
      await writeFile(file, `sip:alice@example.org\n${line}\n`);
      await expect(uriListFile(file, process.stdin, "--members")).rejects.toThrow(usage("BAD_URI"));
    }
    await writeFile(file, "# nobody\n");
    await expect(uriListFile(file, process.stdin, "--members")).rejects.toThrow(usage("EMPTY_LIST"));
  });

  it("may name nobody twice", () => {
    expect(() => requireDistinct(["a", "b", "a"], "--members")).toThrow(usage("DUPLICATE_URI"));
    requireDistinct(["a", "A"], "--members");
  });
});

it.each([
  ["kms.example.org", "https://kms.example.org/keymanagement/identity/v1/init"],
  ["https://kms.example.org:8443/x?y", "https://kms.example.org:8443/keymanagement/identity/v1/init"],
  ["sip:kms@example.org", "https://example.org/keymanagement/identity/v1/init"],
])("the request URL of KMS %s is derived", (kmsUri, url) => {
  expect(requestUrl(kmsUri, "init")).toBe(url);
});

it("the printed version is that of the package", () => {
  expect(VERSION).toBe(packageJson.version);
});
