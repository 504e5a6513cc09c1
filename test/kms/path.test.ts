import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseKmsConfig } from "../../roles/kms/common/config.ts";
import { KmsRefusal } from "../../roles/kms/common/errors.ts";
import { ownUrls } from "../../roles/kms/common/own-urls.ts";
import { parsePath, ROOT } from "../../roles/kms/common/path.ts";

const parse = (tail: string) => parsePath(`${ROOT}/${tail}`);

function refusalOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof KmsRefusal) return error.code;
    throw error;
  }
  return "none";
}

describe("the request path", () => {
  it.each(["init", "keyprov", "certcache", "lookup", "redirect"] as const)(
    "%s is read without a parameter",
    (type) => {
      expect(parse(type)).toEqual({ type });
    },
  );

  it.each([
    ["keyprov/sip%3Auser%40example.org", ["sip:user@example.org"]],
    ["keyprov/sip:user@example.org", ["sip:user@example.org"]],
    ["keyprov/sip%3auser%40example.org", ["sip:user@example.org"]],
    ["keyprov/sip:user%40example.org", ["sip:user@example.org", "sip:user%40example.org"]],
    ["keyprov/sip%3Aa%2520b%40example.org", ["sip:a%20b@example.org", "sip%3Aa%2520b%40example.org"]],
    ["keyprov/https%3A%2F%2Fgms.example.org%2Fx", ["https://gms.example.org/x"]],
    ["keyprov/https://gms.example.org/x", ["https://gms.example.org/x"]],
    ["cert/kms.example.org", ["kms.example.org"]],
    ["cert/sip%3Akms%40example.org", ["sip:kms@example.org"]],
    ["lookup/sip%3Auser%40example.org", ["sip:user@example.org"]],
  ])("%s is read", (tail, readings) => {
    const { uris } = parse(tail);
    expect(uris![0]).toBe(readings[0]);
    expect(uris).toEqual(expect.arrayContaining(readings));
  });

  it("with a URI that needs no decoding has one reading", () => {
    expect(parse("keyprov/sip:user@example.org").uris).toHaveLength(1);
  });

  it.each(["D6B4323200000000", "d6b4323200000000"])("with a time in either case is read: %s", (time) => {
    expect(parse(`keyprov/sip%3Auser%40example.org/${time}`)).toMatchObject({
      uris: expect.arrayContaining(["sip:user@example.org"]),
      seconds: 0xd6b43232,
    });
  });

  it("with a time after 2036 is in the next era", () => {
    expect(parse("keyprov/sip:a@b.example/0000000100000000").seconds).toBe(2 ** 32 + 1);
  });

  it("with a plain URI with a slash keeps the time apart", () => {
    expect(parse("keyprov/https://gms.example.org/x/D6B4323200000000")).toEqual({
      type: "keyprov",
      uris: ["https://gms.example.org/x"],
      seconds: 0xd6b43232,
    });
  });

  it("with a cache number is read", () => {
    expect(parse("certcache/17")).toEqual({ type: "certcache", cacheNum: 17 });
  });

  it.each([
    ["keyprov/", "BAD_PATH"],
    ["keyprov/D6B4323200000000", "BAD_PATH"],
    ["keyprov/user@example.org", "BAD_PATH"],
    ["keyprov/sip%3Auser%ZZ", "BAD_PATH"],
    ["keyprov/sip%3A%00", "BAD_PATH"],
    ["keyprov/sip%3Aa%20b", "BAD_PATH"],
    ["keyprov/sip%3Aa%3Cb", "BAD_PATH"],
    ["keyprov/%ff", "BAD_PATH"],
    [`keyprov/sip:${"a".repeat(2000)}`, "BAD_PATH"],
    ["certcache/", "BAD_PATH"],
    ["certcache/-1", "BAD_PATH"],
    ["certcache/1/2", "BAD_PATH"],
    ["cert", "BAD_PATH"],
    ["cert/", "BAD_PATH"],
    ["init/x", "NOT_FOUND"],
    ["INIT", "NOT_FOUND"],
    ["init?x=1", "NOT_FOUND"],
    ["redirect/", "NOT_FOUND"],
    ["other", "NOT_FOUND"],
    ["", "NOT_FOUND"],
    ["../v1/init", "NOT_FOUND"],
  ])("%s is refused: %s", (tail, code) => {
    expect(refusalOf(() => parse(tail))).toBe(code);
  });

  it.each([
    "/",
    "/keymanagement/identity/v2/init",
    "/keymanagement/identity/v1",
    "//keymanagement/identity/v1/init",
  ])("outside of the root is refused: %s", (path) => {
    expect(refusalOf(() => parsePath(path))).toBe("NOT_FOUND");
  });

  it("with any percent-encoded URI is read, and nothing crashes on other paths", () => {
    const uri = fc.stringMatching(/^sip:[!-~]{1,40}$/).filter((text) => !/[<>"{}|\\^`]/.test(text));
    fc.assert(fc.property(uri, (text) => parse(`keyprov/${encodeURIComponent(text)}`).uris!.includes(text)));
    fc.assert(fc.property(fc.string({ unit: "binary" }), (tail) => refusalOf(() => parse(tail)).length > 0));
  });
});

describe("a ClientReqUrl of the KMS", () => {
  const matches = (config: object, url: string, tail: string) =>
    ownUrls(parseKmsConfig({ kmsUri: "kms.example.org", ...config })).matches(url, parse(tail));
  const at = (origin: string, tail: string) => `${origin}${ROOT}/${tail}`;

  it("is compared by meaning, not by spelling", () => {
    const config = { urls: ["https://kms.example.org"] };
    const encoded = "keyprov/sip%3Auser%40example.org";
    expect(matches(config, at("https://kms.example.org", "keyprov/sip:user@example.org"), encoded)).toBe(
      true,
    );
    expect(matches(config, at("https://KMS.example.org:443", encoded), encoded)).toBe(true);
    const timed = (time: string) => `${encoded}/${time}`;
    expect(
      matches(config, at("https://kms.example.org", timed("d6b4323200000000")), timed("D6B4323200000000")),
    ).toBe(true);
  });

  it.each([
    ["another host", "https://evil.example", "init"],
    ["another port", "https://kms.example.org:8443", "init"],
    ["plain HTTP", "http://kms.example.org", "init"],
    ["a user in front", "https://kms.example.org@evil.example", "init"],
    ["a user before the host", "https://x@kms.example.org", "init"],
    ["another request", "https://kms.example.org", "keyprov"],
    ["a URI where there was none", "https://kms.example.org", "lookup/sip:a@b.example"],
  ])("with %s is refused", (_, origin, tail) => {
    const config = { urls: ["https://kms.example.org"] };
    expect(matches(config, at(origin, tail), "init")).toBe(false);
  });

  it.each([
    "",
    "init",
    "/keymanagement/identity/v1/init",
    "https://kms.example.org",
    "https://kms.example.org/init",
  ])("that is %j is refused", (url) => {
    expect(matches({ urls: ["https://kms.example.org"] }, url, "init")).toBe(false);
  });

  it.each([
    ["https://kms.example.org", true],
    ["https://kms.example.org:9999", true],
    ["https://localhost:8443", true],
    ["https://127.0.0.1:8443", true],
    ["https://[::1]:8443", true],
    ["http://localhost:8443", true],
    ["https://localhost:8444", false],
    ["https://evil.example:8443", false],
  ])("for a KMS on loopback without configured URLs: %s is accepted: %s", (origin, expected) => {
    expect(matches({}, at(origin, "init"), "init")).toBe(expected);
  });

  it("with plain HTTP is refused where the KMS speaks TLS", () => {
    const config = { tls: { certFile: "a", keyFile: "b" } };
    expect(matches(config, at("http://localhost:8443", "init"), "init")).toBe(false);
  });
});
