/** MCData messages under a group key (TS 33.180 8.4, 8.5.4; TS 24.282 15). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MikeySakkeError, systemRandom, toHex } from "../../../bindings/index.ts";
import {
  decodeDataPayload,
  decodeSdsSignalling,
  encodeDataPayload,
  encodeSdsSignalling,
  isProtectedMcData,
  openMcData,
  PAYLOAD_CONTENT_TYPES,
  sealMcData,
} from "../../../bindings/mcdata/index.ts";
import { NOW } from "../../support/names.ts";
import { gmkOf, text } from "../packets.ts";

const hello = encodeDataPayload([{ contentType: PAYLOAD_CONTENT_TYPES.TEXT, data: text("hello") }]);

describe("the protection of MCData", () => {
  it("lets another member open it, under the GMK-ID and not a GUK-ID", async () => {
    const [alice, bob] = gmkOf(0x0123456, ["sip:alice@example.org", "sip:bob@example.org"]);
    const sealed = await sealMcData(alice!, hello, { now: NOW, payloadId: 5, sequenceNo: 1 });
    expect(isProtectedMcData(sealed)).toBe(true);
    expect(sealed[0]).toBe(0x43);
    expect(toHex(sealed)).not.toContain(toHex(text("hello")));
    const opened = await openMcData(sealed, (keyId) => (keyId === 0x0123456 ? bob : undefined));
    expect(opened).toEqual({
      message: hello,
      keyId: 0x0123456,
      dateTime: NOW / 1000,
      payloadId: 5,
      sequenceNo: 1,
    });
    expect(decodeDataPayload(opened.message)).toEqual([{ contentType: 1, data: text("hello") }]);
  });

  it("uses another IV for each message, even if the random generator repeats itself", async () => {
    const [alice] = gmkOf(0x0123456, ["sip:alice@example.org"]);
    const stuck = (length: number) => new Uint8Array(length).fill(7);
    const ivs: string[] = [];
    for (const now of [NOW, NOW + 1000]) {
      for (const data of ["hello", "hallo", "hello"]) {
        const message = encodeDataPayload([{ contentType: PAYLOAD_CONTENT_TYPES.TEXT, data: text(data) }]);
        for (const sequenceNo of [0, 1]) {
          const sealed = await sealMcData(alice!, message, { now, sequenceNo, random: stuck });
          ivs.push(toHex(sealed.subarray(12, 28)));
          expect(await openMcData(sealed, () => alice)).toMatchObject({ message, sequenceNo });
        }
      }
    }
    // Two times, two texts, two numbers; the first text comes twice.
    expect(new Set(ivs).size).toBe(8);
  });

  it("refuses any changed octet but the IEI, cut data, and data without a key", async () => {
    const [alice] = gmkOf(0x0123456, ["sip:alice@example.org"]);
    const sealed = await sealMcData(alice!, hello, { now: NOW });
    const IEI_AT = 32;
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.slice();
      changed[at]! ^= 0x10;
      const opening = openMcData(changed, () => alice);
      if (at === IEI_AT) await expect(opening).resolves.toMatchObject({ message: hello });
      else await expect(opening, `octet ${at}`).rejects.toMatchObject({ code: "MCDATA_REFUSED" });
      await expect(openMcData(sealed.subarray(0, at), () => alice)).rejects.toMatchObject({
        code: "MCDATA_REFUSED",
      });
    }
    await expect(openMcData(sealed, () => undefined)).rejects.toMatchObject({ code: "MCDATA_REFUSED" });
    const [other] = gmkOf(0x0123456, ["sip:alice@example.org"]);
    await expect(openMcData(sealed, () => other)).rejects.toMatchObject({ code: "MCDATA_REFUSED" });
  });

  it("seals clear messages only", async () => {
    const [alice] = gmkOf(0x0123456, ["sip:alice@example.org"]);
    for (const message of [new Uint8Array(), Uint8Array.of(0x43, 1), Uint8Array.of(0x83, 1)]) {
      await expect(sealMcData(alice!, message, { now: NOW })).rejects.toMatchObject({
        code: "BAD_MCDATA_MESSAGE",
      });
    }
  });
});

describe("MCData messages", () => {
  it("have the octets of a DATA PAYLOAD", () => {
    expect(toHex(hello)).toBe(`0301780006${"01"}${toHex(text("hello"))}`);
  });

  it("are read as they were written", () => {
    const payload = fc.record({ contentType: fc.nat(255), data: fc.uint8Array({ maxLength: 300 }) });
    fc.assert(
      fc.property(fc.array(payload, { minLength: 1, maxLength: 5 }), (payloads) => {
        expect(decodeDataPayload(encodeDataPayload(payloads))).toEqual(payloads);
      }),
    );
    const id = systemRandom(16);
    const sds = { dateTime: 1, conversationId: id, messageId: id, inReplyTo: id, applicationId: 3 };
    expect(decodeSdsSignalling(encodeSdsSignalling({ ...sds, dispositionRequest: 2 }))).toEqual({
      ...sds,
      dispositionRequest: 2,
    });
  });

  it("that are cut or of another kind are refused", () => {
    const id = systemRandom(16);
    const sds = encodeSdsSignalling({ dateTime: 1, conversationId: id, messageId: id });
    expect(() => decodeDataPayload(sds)).toThrow(expect.objectContaining({ code: "BAD_MCDATA_PAYLOAD" }));
    expect(() => decodeSdsSignalling(hello)).toThrow(
      expect.objectContaining({ code: "BAD_MCDATA_SIGNALLING" }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(1, 3), (octets, type) => {
        if (octets.length > 0) octets[0] = type;
        for (const decode of [decodeDataPayload, decodeSdsSignalling]) {
          try {
            decode(octets);
          } catch (error) {
            expect(error).toBeInstanceOf(MikeySakkeError);
          }
        }
      }),
    );
  });
});
