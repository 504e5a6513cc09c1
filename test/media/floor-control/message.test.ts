/** Floor control messages (TS 24.380 8.2). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  DENY_CAUSES,
  decodeFloorMessage,
  encodeFloorMessage,
  FLOOR_MESSAGES,
  type FloorMessage,
  type FloorMessageName,
  INDICATORS,
} from "../../../bindings/floor-control/index.ts";
import { MikeySakkeError, toHex } from "../../../bindings/index.ts";

describe("floor control messages", () => {
  it("have the octets of clause 8.2", () => {
    const request: FloorMessage = {
      name: "Floor Request",
      ssrc: 0x01020304,
      priority: 5,
      indicator: INDICATORS.EMERGENCY,
    };
    expect(toHex(encodeFloorMessage(request))).toBe(
      `80cc0004${"01020304"}${"4d435054"}${"00020500"}${"0d021000"}`,
    );
    const taken: FloorMessage = { name: "Floor Taken", ackRequired: true, ssrc: 1, grantedParty: "sip:a@b" };
    // 7 octets of text and 3 of padding, so that the field has 12.
    expect(toHex(encodeFloorMessage(taken))).toBe(
      `92cc0005${"00000001"}${"4d435054"}${"0407"}${toHex(new TextEncoder().encode("sip:a@b"))}000000`,
    );
    expect(toHex(encodeFloorMessage({ name: "Floor Idle", ssrc: 1, mediaSsrc: 0xaabbccdd }))).toBe(
      `85cc0004${"00000001"}${"4d435054"}${"0e06aabbccdd0000"}`,
    );
  });

  it("are read as they were written", () => {
    const u16 = fc.nat(0xffff);
    const u8 = fc.nat(0xff);
    const uri = fc.string({ maxLength: 60 }).map((text) => `sip:${text}`);
    const optional = {
      ackRequired: fc.constant(true),
      priority: u8,
      duration: u16,
      cause: u16,
      queue: fc.record({ position: u8, priority: u8 }),
      grantedParty: uri,
      mayRequest: fc.boolean(),
      userId: uri,
      sequenceNumber: u16,
      queuedUserId: uri,
      source: u16,
      acknowledged: u8,
      indicator: u16,
      mediaSsrc: fc.nat(0xffffffff),
    };
    const fixed = {
      name: fc.constantFrom(...(Object.keys(FLOOR_MESSAGES) as FloorMessageName[])),
      ssrc: fc.nat(0xffffffff),
    };
    const messages = fc.record({ ...fixed, ...optional }, { requiredKeys: ["name", "ssrc"] });
    fc.assert(
      fc.property(messages, (message) => {
        const octets = encodeFloorMessage(message);
        expect(octets.length % 4).toBe(0);
        expect(decodeFloorMessage(octets)).toEqual(message);
      }),
    );
    const deny: FloorMessage = {
      name: "Floor Deny",
      ssrc: 1,
      cause: DENY_CAUSES.OTHER,
      causePhrase: "not now",
    };
    expect(decodeFloorMessage(encodeFloorMessage(deny))).toEqual(deny);
  });

  it("that are broken are refused, and unknown fields are passed over", () => {
    const idle = encodeFloorMessage({ name: "Floor Idle", ssrc: 1, sequenceNumber: 7 });
    for (let at = 0; at < idle.length; at++) {
      expect(() => decodeFloorMessage(idle.subarray(0, at))).toThrow(MikeySakkeError);
    }
    const unknown = idle.slice();
    unknown[12] = 200;
    expect(decodeFloorMessage(unknown)).toEqual({ name: "Floor Idle", ssrc: 1 });
    for (const [at, octet] of [
      [0, 0x45],
      [0, 0x87],
      [1, 203],
      [3, 4],
      [8, 0x20],
      [13, 200],
    ] as const) {
      const broken = idle.slice();
      broken[at] = octet;
      expect(() => decodeFloorMessage(broken), `octet ${at}`).toThrow(MikeySakkeError);
    }
    expect(() => encodeFloorMessage({ name: "Floor Taken", ssrc: 1, grantedParty: "x".repeat(256) })).toThrow(
      expect.objectContaining({ code: "FLOOR_FIELD" }),
    );
  });
});
