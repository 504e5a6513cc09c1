import { describe, expect, it } from "vitest";
import type { KeyKind } from "../../../bindings/identity/purpose-tag.ts";
import { SRTP_TYPES } from "../../../bindings/mikey/codes.ts";
import type { SrtpParameter } from "../../../bindings/mikey/sp.ts";
import {
  defaultParameters,
  GMK_PROFILE,
  PCK_PROFILE,
  profileOf,
  resolveProfile,
} from "../../../bindings/mikey/srtp-profile.ts";

const gcm = { encryption: "AES-GCM", keyLength: 16, saltLength: 12, aeadTagLength: 16 };
const without = (type: number) => GMK_PROFILE.filter((p) => p.type !== type);
const withValue = (type: number, ...value: number[]): SrtpParameter[] => [
  ...without(type),
  { type, value: Uint8Array.from(value) },
];

describe("the SRTP profile", () => {
  it("is RCC mode 3 in every packet for a GMK, and no ROC field for a PCK", () => {
    expect(resolveProfile(GMK_PROFILE)).toEqual({ ...gcm, roc: { rate: 1 } });
    expect(resolveProfile(PCK_PROFILE)).toEqual({ ...gcm, roc: undefined });
  });

  it("follows the kind of key when the SP says nothing", () => {
    const kinds: KeyKind[] = ["GMK", "PCK", "CSK", "MuSiK", "MKFC"];
    const rates = kinds.map((kind) => resolveProfile(defaultParameters(kind)).roc?.rate);
    expect(rates).toEqual([1, undefined, undefined, undefined, 1]);
  });

  it("has the defaults of SRTP where the SP leaves values out (RFC 3830 6.10.1)", () => {
    expect(resolveProfile([{ type: 0, value: Uint8Array.of(6) }])).toEqual({ ...gcm, roc: undefined });
    expect(resolveProfile(without(SRTP_TYPES.ROC_RATE)).roc).toEqual({ rate: 1 });
    expect(resolveProfile(without(SRTP_TYPES.AUTHENTICATION_ALGORITHM)).roc).toBeUndefined();
  });

  it("has the ROC rate in one octet or two", () => {
    expect(resolveProfile(withValue(13, 10)).roc).toEqual({ rate: 10 });
    expect(resolveProfile(withValue(13, 1, 0)).roc).toEqual({ rate: 256 });
  });

  it("follows the special type 14 rather than type 2 (RFC 4771 4)", () => {
    expect(resolveProfile(withValue(14, 0)).roc).toBeUndefined();
  });

  it.each([
    ["no encryption", withValue(0, 0)],
    ["AES-CM by default", without(0)],
    ["a longer key", withValue(1, 32)],
    ["another salt", withValue(4, 14)],
    ["another PRF", withValue(5, 1)],
    ["session key refresh", withValue(6, 1)],
    ["SRTP in the clear", withValue(7, 0)],
    ["SRTCP in the clear", withValue(8, 0)],
    ["RCC mode 1", withValue(2, 2)],
    ["RCC mode 3 with another tag", withValue(18, 10)],
    ["an SRTCP tag", withValue(19, 4)],
    ["a short GCM tag", withValue(20, 8)],
    ["ROC rate 0", withValue(13, 0, 0)],
    ["an empty value", withValue(1)],
    ["an unknown parameter", withValue(21, 1)],
  ])("is refused with %s", (_name, parameters) => {
    expect(() => resolveProfile(parameters)).toThrow(
      expect.objectContaining({ code: "BAD_SECURITY_POLICY", check: 20 }),
    );
  });

  it("is found by crypto session", () => {
    const session = { protType: 0, hasRoc: false, sessionData: new Uint8Array(0), spi: new Uint8Array(0) };
    const message = {
      kind: "GMK" as const,
      sessions: [
        { ...session, csId: 4, policies: [0] },
        { ...session, csId: 5, policies: [1] },
      ],
      policies: [
        { payload: "SP" as const, policyNo: 0, protType: 0, parameters: GMK_PROFILE },
        { payload: "SP" as const, policyNo: 1, protType: 0, parameters: PCK_PROFILE },
      ],
    };
    expect(profileOf(message)?.roc).toEqual({ rate: 1 });
    expect(profileOf(message, 5)).toEqual({ ...gcm, roc: undefined });
    expect(profileOf(message, 6)).toBeUndefined();
    expect(profileOf({ ...message, policies: [] }, 5)?.roc).toEqual({ rate: 1 });
    expect(profileOf({ ...message, sessions: [] }, 5)?.roc).toEqual({ rate: 1 });
  });
});
