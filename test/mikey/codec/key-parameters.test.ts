import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, fromHex, toHex } from "../../../base/bytes.ts";
import { KEY_KINDS, type KeyKind } from "../../../bindings/identity/purpose-tag.ts";
import {
  decodeKeyParameters,
  decodeUnprotectedParameters,
  defaultKeyParameters,
  encodeKeyParameters,
  groupIds,
  type KeyParameters,
} from "../../../bindings/mikey/key-parameters.ts";

const time = fc.integer({ min: 0, max: 2 ** 40 - 1 });
const text = fc.string({ unit: "grapheme", maxLength: 40 });

function parameters(kind: KeyKind): fc.Arbitrary<KeyParameters> {
  const withGroups = kind === "GMK" || kind === "MKFC" || kind === "MuSiK";
  const group = fc.record({ iei: fc.integer({ min: 0, max: 255 }), uri: text });
  return fc.record({
    kind: fc.constant(kind),
    revoked: fc.boolean(),
    sharedWithGateway: fc.boolean(),
    activation: time,
    expiry: time,
    text,
    groups: withGroups ? fc.array(group, { maxLength: 5 }) : fc.constant([]),
  });
}

const anyParameters = fc.constantFrom(...KEY_KINDS).chain(parameters);

describe("key parameters (TS 33.180 E.6):", () => {
  it("the production layouts are written", () => {
    expect(toHex(encodeKeyParameters(defaultKeyParameters("GMK")))).toBe(
      "00" + "00000001" + "0000000000" + "0000000000" + "0000" + "0001" + "00",
    );
    expect(toHex(encodeKeyParameters(defaultKeyParameters("CSK")))).toBe(
      "02" + "00000001" + "0000000000" + "0000000000" + "0000",
    );
  });

  it("groups are written as MCData group IDs", () => {
    const octets = encodeKeyParameters({ ...defaultKeyParameters("GMK"), groups: groupIds(["sip:g"]) });
    expect(toHex(octets.slice(17))).toBe("0009" + "01" + "7b" + "0005" + "7369703a67");
  });

  it("written content is read back", () => {
    fc.assert(
      fc.property(anyParameters, (p) => {
        expect(decodeKeyParameters(encodeKeyParameters(p))).toEqual(p);
      }),
    );
  });

  it("the form with its own element header is read", () => {
    fc.assert(
      fc.property(anyParameters, fc.integer({ min: 0, max: 255 }), (p, iei) => {
        const content = encodeKeyParameters(p);
        const wrapped = concat(Uint8Array.of(iei, content.length >> 8, content.length), content);
        expect(decodeKeyParameters(wrapped)).toEqual(p);
      }),
    );
  });

  it("reserved octets at the end, and other status bits, are ignored", () => {
    const content = encodeKeyParameters({ ...defaultKeyParameters("GMK"), text: "fire" });
    expect(decodeKeyParameters(concat(content, fromHex("0002aabb"))).text).toBe("fire");
    content[1] = 0xff;
    expect(decodeKeyParameters(content)).toMatchObject({ revoked: false, sharedWithGateway: false });
  });

  it("a GMK without the group element is read", () => {
    const content = encodeKeyParameters(defaultKeyParameters("GMK"));
    expect(decodeKeyParameters(content.slice(0, 17)).groups).toEqual([]);
  });

  it("a text that is not UTF-8 is shown with replacement characters", () => {
    const content = encodeKeyParameters({ ...defaultKeyParameters("CSK"), text: "x" });
    content[17] = 0xe4;
    expect(decodeKeyParameters(content).text).toBe("�");
  });

  it.each([
    ["empty", ""],
    ["key type 7", "07000000010000000000" + "00000000000000"],
    ["cut in the expiry time", "02000000010000000000" + "00000000"],
    ["text longer than the content", "02000000010000000000" + "00000000000005aa"],
    ["group count beyond the list", "00000000010000000000" + "000000000000000001" + "01"],
    ["octets behind the last group", "00000000010000000000" + "0000000000" + "0000" + "0002" + "00ff"],
  ])("content that is %s is refused", (_name, hex) => {
    expect(() => decodeKeyParameters(fromHex(hex))).toThrow(
      expect.objectContaining({ code: "BAD_KEY_PARAMETERS", check: 50 }),
    );
  });

  it("groups for keys that carry none, and times beyond 40 bits, are not written", () => {
    const pck = defaultKeyParameters("PCK");
    expect(() => encodeKeyParameters({ ...pck, groups: groupIds(["sip:g"]) })).toThrow(
      expect.objectContaining({ kind: "usage", code: "NO_GROUPS" }),
    );
    expect(() => encodeKeyParameters({ ...pck, expiry: 2 ** 40 })).toThrow(
      expect.objectContaining({ kind: "usage", code: "FIELD_OUT_OF_RANGE" }),
    );
  });

  it("the older form with key types from 1 is read", () => {
    const octets = encodeKeyParameters(defaultKeyParameters("PCK"));
    octets[0] = 2;
    expect(decodeUnprotectedParameters(octets).kind).toBe("PCK");
  });
});
