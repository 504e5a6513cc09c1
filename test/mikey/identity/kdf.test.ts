import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { concat, fromHex, toHex, utf8 } from "../../../base/bytes.ts";
import {
  deriveDpck,
  deriveSrtpMaster,
  deriveXmlConfidentialityKey,
  deriveXmlIntegrityKey,
  kdfInput,
  mikeyPrf,
} from "../../../bindings/identity/kdf.ts";

describe("the KDF input (TS 33.220 B.2)", () => {
  it("has each length after its parameter", () => {
    expect(toHex(kdfInput(0x50, [utf8("ab"), new Uint8Array(0)]))).toBe("50616200020000");
  });

  it("is refused if a parameter's length exceeds two octets", () => {
    const tooLong = expect.objectContaining({ code: "PARAMETER_TOO_LONG" });
    expect(() => kdfInput(0, [new Uint8Array(65536)])).toThrow(tooLong);
    expect(kdfInput(0, [new Uint8Array(65535)])).toHaveLength(65538);
  });
});

describe("the DPCK (TS 33.180 F.1.5)", () => {
  it.each([
    ["07d1a1677ac36d8e81620484689b3c2d", 0x06a12aea, "9768340935db3c2e770f2a3e97a4bb09"],
    ["e06e65106183547342d3e8a6ce2540a8", 0x2ddd5bf0, "340e1d3cf25013a8d223e8773e6b5367"],
    ["b4c96b703acd5c1bf7d4cc45068d9965", 0x16992638, "4c8e155c34caf102cea889431e2b43af"],
  ])("of PCK %s is the published one", (key, id, expected) => {
    expect(toHex(deriveDpck(fromHex(key), id))).toBe(expected);
  });

  it("has 32 octets for a 256-bit key", () => {
    expect(deriveDpck(new Uint8Array(32), 1)).toHaveLength(32);
  });
});

describe("XML keys (TS 33.180 F.1.4):", () => {
  const xpk = fromHex("e06e65106183547342d3e8a6ce2540a8");
  const uri = "sip:user@example.org";

  it.each([
    ["confidentiality", 0x51, deriveXmlConfidentialityKey],
    ["integrity", 0x52, deriveXmlIntegrityKey],
  ] as const)("%s is the last 16 octets over FC, user and XPK-ID", (_name, fc, derive) => {
    const s = concat(Uint8Array.of(fc), utf8(uri), fromHex("0014"), fromHex("2ddd5bf0"), fromHex("0004"));
    expect(toHex(derive(xpk, uri, 0x2ddd5bf0))).toBe(toHex(hmac(sha256, xpk, s).slice(16)));
  });
});

describe("SRTP master key and salt (TS 33.180 7.4, RFC 3830 4.1.3):", () => {
  it.each([
    [
      "group media",
      "fcfe65cd967c58d260b603ccb9a887a9",
      4,
      0x01c8de7b,
      "6819e679461120e10ac458cce67b8024",
      "64837d2b4d69a266e4489d3807353ad9",
      "8b2f081ce8e8bdab1f8d9eb8",
    ],
    [
      "CSK",
      "28ba74447f037dcc09ad7f2576dc2def",
      6,
      0x1c5f7886,
      "30333032343661303730646133333265",
      "185d08cb5a226d19d71679adf5e415be",
      "d1d648b2a0040633a3dd72e5",
    ],
    [
      "worked example",
      "a27b7d578eeb9b1ee7705e385996d300",
      4,
      0x0633f457,
      "4339f62f55aac86348846a482c893802",
      "59aaa49ebb54813602b7cc165961b4e8",
      "745eb4df7d155c473114a799",
    ],
  ])("%s is reproduced", (_name, tgk, csId, csbId, rand, key, salt) => {
    const master = deriveSrtpMaster({ tgk: fromHex(tgk), csId, csbId, rand: fromHex(rand) });
    expect({ key: toHex(master.key), salt: toHex(master.salt) }).toEqual({ key, salt });
  });
});

describe("the MIKEY PRF (RFC 3830 4.1.2)", () => {
  const label = utf8("label");

  it("continues a longer output where a shorter one ends", () => {
    const key = fromHex("28ba74447f037dcc09ad7f2576dc2def");
    const long = mikeyPrf(key, label, 100);
    expect(toHex(mikeyPrf(key, label, 33))).toBe(toHex(long.slice(0, 33)));
    const a1 = hmac(sha256, key, label);
    const a2 = hmac(sha256, key, a1);
    expect(toHex(long.slice(32, 64))).toBe(toHex(hmac(sha256, key, concat(a2, label))));
  });

  it("XORs the outputs of the 256-bit blocks of a longer key", () => {
    const key = new Uint8Array(40).map((_, i) => i + 1);
    const parts = [key.slice(0, 32), key.slice(32)].map((block) => mikeyPrf(block, label, 48));
    expect(toHex(mikeyPrf(key, label, 48))).toBe(toHex(parts[0]!.map((x, i) => x ^ parts[1]![i]!)));
  });
});
