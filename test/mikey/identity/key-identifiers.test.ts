import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../base/bytes.ts";
import { computeGukId, recoverGmkId } from "../../../bindings/identity/guk-id.ts";
import {
  drawKeyId,
  formatKeyId,
  KEY_KINDS,
  keyIdFromBytes,
  keyIdToBytes,
  keyKind,
  PURPOSE_TAGS,
  purposeTag,
} from "../../../bindings/identity/purpose-tag.ts";
import { userSalt, userSalts } from "../../../bindings/identity/user-salt.ts";
import { productionGmk } from "../../support/vectors.ts";

const keyIds = fc.integer({ min: 0, max: 0xffffffff });
const keys = fc.uint8Array({ minLength: 16, maxLength: 16 });
const uris = fc.string().map((user) => `sip:${user}@example.org`);

describe("user salt and GUK-ID (TS 33.180 F.1.3, 5.2.3)", () => {
  const gmk = fromHex("fcfe65cd967c58d260b603ccb9a887a9");

  it.each([
    ["sip:p25user01@etherstack.com", 0x877434c, 0x01c8de7b],
    ["sip:p25user02@etherstack.co.jp", 0x301f4e7, 0x0abe69d0],
    ["sip:92100002447@att.com", 0x5fb0a10, 0x0c449727],
  ])("of %s are those of the example", (uri, salt, gukId) => {
    expect(userSalt(gmk, uri)).toBe(salt);
    expect(computeGukId(gmk, 0x09bf9d37, uri)).toBe(gukId);
    expect(recoverGmkId(gmk, gukId, uri)).toBe(0x09bf9d37);
  });

  it("of the production message are reproduced", () => {
    const { message } = productionGmk();
    const gukId = computeGukId(message.gmk, keyIdFromBytes(message.gmkId), message.responderUri);
    expect(formatKeyId(gukId)).toBe(toHex(message.gukId));
  });

  it("undo each other with the same salt and keep the purpose tag", () => {
    fc.assert(
      fc.property(keys, keyIds, uris, (key, keyId, uri) => {
        const gukId = computeGukId(key, keyId, uri);
        expect(purposeTag(gukId)).toBe(purposeTag(keyId));
        expect(recoverGmkId(key, gukId, uri)).toBe(keyId);
      }),
    );
  });

  it("of many users are computed as for one", () => {
    const uris = ["sip:a@example.org", "sip:b@example.org", "sip:c@example.org"];
    expect(userSalts(gmk, uris)).toEqual(uris.map((uri) => userSalt(gmk, uri)));
  });
});

describe("purpose tags (TS 33.180 annex G)", () => {
  it("are numbered as the key types of E.6.11", () => {
    expect(PURPOSE_TAGS).toEqual({ GMK: 0, PCK: 1, CSK: 2, SPK: 3, MKFC: 4, MSCCK: 5, MuSiK: 6 });
  });

  it("precede 28 random bits", () => {
    for (const kind of KEY_KINDS) {
      const keyId = drawKeyId(kind, () => Uint8Array.of(0xff, 0x01, 0x02, 0x03));
      expect(keyKind(keyId)).toBe(kind);
      expect(keyId % 2 ** 28).toBe(0x0f010203);
    }
  });

  it("are not defined from 7 on", () => {
    for (let tag = 7; tag < 16; tag++) expect(keyKind(tag * 2 ** 28)).toBeUndefined();
  });

  it("are kept when key identifiers are converted to octets and text", () => {
    fc.assert(
      fc.property(keyIds, (keyId) => {
        expect(keyIdFromBytes(keyIdToBytes(keyId))).toBe(keyId);
        expect(toHex(keyIdToBytes(keyId))).toBe(formatKeyId(keyId));
      }),
    );
  });

  it("of other numbers and lengths are refused", () => {
    const bad = expect.objectContaining({ kind: "usage", code: "BAD_KEY_ID" });
    for (const value of [-1, 2 ** 32, 0.5]) expect(() => keyIdToBytes(value)).toThrow(bad);
    expect(() => keyIdFromBytes(new Uint8Array(3))).toThrow(bad);
  });
});
