import { describe, expect, it } from "vitest";
import { concat, fromHex, toHex } from "../../../base/bytes.ts";
import { keyIdFromBytes } from "../../../bindings/identity/purpose-tag.ts";
import { decodeKeyParameters, defaultKeyParameters } from "../../../bindings/mikey/key-parameters.ts";
import { decodeMessage } from "../../../bindings/mikey/message.ts";
import {
  decodeProtectedPayload,
  encodeProtectedPayload,
  PROTECTED_DATA_PAYLOAD,
  protect,
  unprotect,
} from "../../../bindings/mikey/protected-payload.ts";
import { Reader } from "../../../bindings/mikey/reader.ts";
import { productionGmk } from "../../support/vectors.ts";

const decode = (octets: Uint8Array) => decodeProtectedPayload(new Reader(octets));

function productionPayload() {
  const { message } = productionGmk();
  const extension = decodeMessage(message.octets).payloads.find((p) => p.payload === "GENERAL_EXT");
  return { key: message.gmk, octets: extension!.data };
}

const csk = {
  key: fromHex("e06e65106183547342d3e8a6ce2540a8"),
  iv: fromHex("6f7ee262ac4da7f5d06a72de86816abe"),
  sealed: fromHex("bc70f370864c4fa8f7a8b3992acc17d2335538bea90d6016992b6b982ae86008f0"),
  plain: "02" + "00000001" + "0000000000" + "0000000000" + "0000",
};

describe("the protected payload (TS 33.180 8.5.4)", () => {
  it("of the production GMK message opens", async () => {
    const { key, octets } = productionPayload();
    const plain = await unprotect(key, decode(octets), {});
    expect(toHex(plain)).toBe("00" + "00000001" + "0000000000" + "0000000000" + "0000" + "0001" + "00");
    expect(decodeKeyParameters(plain)).toEqual(defaultKeyParameters("GMK"));
  });

  it("of the production GMK message is sealed again, octet for octet", async () => {
    const { key, octets } = productionPayload();
    const { iv, dppkId, dateTime } = decode(octets);
    expect(dateTime).toBe(1);
    const plain = await unprotect(key, decode(octets), {});
    expect(toHex(await protect(key, dppkId, plain, { dateTime, iv }))).toBe(toHex(octets));
  });

  it("of the published CSK parameters opens and is sealed", async () => {
    const dppkId = keyIdFromBytes(fromHex("2ddd5bf0"));
    const octets = await protect(csk.key, dppkId, fromHex(csk.plain), { dateTime: 1, iv: csk.iv });
    expect(toHex(decode(octets).sealed)).toBe(toHex(csk.sealed));
    expect(toHex(await unprotect(csk.key, decode(octets), {}))).toBe(csk.plain);
  });

  it("authenticates every octet except IEI and length", async () => {
    const { key, octets } = productionPayload();
    const unauthenticated = [32];
    for (let i = 0; i < octets.length; i++) {
      const changed = octets.slice();
      changed[i]! ^= 0x01;
      const attempt = (async () => unprotect(key, decode(changed), {}))();
      if (unauthenticated.includes(i)) await expect(attempt).resolves.toBeDefined();
      else await expect(attempt, `octet ${i}`).rejects.toMatchObject({ name: "MikeySakkeError" });
    }
  });

  it("has a signalling algorithm octet where the lengths say so", async () => {
    const p = decode(productionPayload().octets);
    const withOctet = encodeProtectedPayload({ ...p, signallingAlgorithm: 1 });
    expect(decode(withOctet).signallingAlgorithm).toBe(1);
    expect(decode(encodeProtectedPayload(p)).signallingAlgorithm).toBeUndefined();
  });

  it("opens with that octet inside or outside the AAD, as configured", async () => {
    const { key, octets } = productionPayload();
    const outside = { ...decode(octets), signallingAlgorithm: 1 };
    await expect(unprotect(key, outside, {})).rejects.toMatchObject({ code: "BAD_PROTECTED_PAYLOAD" });
    await expect(unprotect(key, outside, { signallingAlgorithm: "in-aad" })).rejects.toMatchObject({
      code: "PARAMETERS_NOT_AUTHENTIC",
    });
    const plain = await unprotect(key, outside, { signallingAlgorithm: "outside-aad" });
    expect(decodeKeyParameters(plain).kind).toBe("GMK");
  });

  it("has bit 7 of the message type set and bit 8 clear", async () => {
    const { key, octets } = productionPayload();
    expect(octets[0]).toBe(PROTECTED_DATA_PAYLOAD);
    for (const messageType of [0x03, 0xc3]) {
      const p = { ...decode(octets), messageType };
      await expect(unprotect(key, p, {})).rejects.toMatchObject({ code: "BAD_PROTECTED_PAYLOAD" });
    }
  });

  it("is refused when truncated or too long", () => {
    const { octets } = productionPayload();
    for (let length = 0; length < octets.length; length++) {
      expect(() => decode(octets.subarray(0, length)), `${length} octets`).toThrow(
        expect.objectContaining({ code: "TRUNCATED" }),
      );
    }
    expect(() => decode(concat(octets, fromHex("0000")))).toThrow(
      expect.objectContaining({ code: "BAD_PROTECTED_PAYLOAD", offset: octets.length }),
    );
  });
});
