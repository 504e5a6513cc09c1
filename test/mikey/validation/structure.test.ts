/** Checks 1 to 7: the payload chain. */
import { beforeAll, describe, expect, it } from "vitest";
import { concat } from "../../../base/bytes.ts";
import { MAX_MESSAGE_BYTES } from "../../../bindings/mikey/message.ts";
import { parseMessage } from "../../../bindings/mikey/parse.ts";
import { edited, replace } from "../../support/forge.ts";
import { refusedBy } from "../../support/refused-by.ts";
import { productionGmk } from "../../support/vectors.ts";

let octets: Uint8Array;
beforeAll(() => {
  octets = productionGmk().message.octets;
});

/** Octets of a payload put right behind HDR, which takes 25 octets here; HDR then points to it. */
function insertFirst(code: number, payload: number[]): Uint8Array {
  const out = concat(octets.subarray(0, 25), Uint8Array.from(payload), octets.subarray(25));
  out[2] = code;
  return out;
}

describe("a message is refused for its structure:", () => {
  it("except for the message from which these are derived", () => {
    expect(parseMessage(octets).csbId).toBe(0x06a12aea);
  });

  it("1 MESSAGE_TOO_LONG", async () => {
    await refusedBy("MESSAGE_TOO_LONG", () => parseMessage(new Uint8Array(MAX_MESSAGE_BYTES + 1)));
    await refusedBy("MESSAGE_TOO_LONG", () => parseMessage(octets, { maxBytes: octets.length - 1 }));
    expect(() => parseMessage(octets, { maxBytes: octets.length })).not.toThrow();
  });

  it("2 TRUNCATED at every length", async () => {
    for (let length = 0; length < octets.length; length++) {
      await refusedBy("TRUNCATED", () => parseMessage(octets.subarray(0, length)));
    }
  });

  it("2 TRUNCATED when a length field points beyond the end", async () => {
    const changed = octets.slice();
    changed[56] = 0xff;
    const error = await refusedBy("TRUNCATED", () => parseMessage(changed));
    expect(error.offset).toBe(58);
  });

  it("3 TRAILING_OCTETS", async () => {
    const error = await refusedBy("TRAILING_OCTETS", () => parseMessage(concat(octets, Uint8Array.of(0))));
    expect(error.offset).toBe(octets.length);
  });

  it("3 TRAILING_OCTETS behind a chain that ends early", async () => {
    const changed = octets.slice();
    changed[25] = 0;
    await refusedBy("TRAILING_OCTETS", () => parseMessage(changed));
  });

  it.each([1, 2, 3, 8, 13, 15, 16, 17, 20, 22, 27, 255])("4 UNKNOWN_PAYLOAD %i", async (code) => {
    const error = await refusedBy("UNKNOWN_PAYLOAD", () => parseMessage(insertFirst(code, [5, 0, 0, 0])));
    expect(error.offset).toBe(2);
  });

  it.each([
    ["ID", 6, [5, 1, 0, 1, 0x61]],
    ["CERT", 7, [5, 0, 0, 1, 0x61]],
    ["V", 9, [5, 0]],
    ["ERR", 12, [5, 0, 0, 0]],
  ])("5 UNEXPECTED_PAYLOAD %s", async (_name, code, payload) => {
    await refusedBy("UNEXPECTED_PAYLOAD", () => parseMessage(insertFirst(code, payload)));
  });

  it.each(["T", "RAND", "SAKKE"])("6 MISSING_PAYLOAD %s", async (name) => {
    const without = edited(octets, (m) => {
      m.payloads = m.payloads.filter((p) => p.payload !== name);
    });
    const error = await refusedBy("MISSING_PAYLOAD", () => parseMessage(without));
    expect(error.message).toContain(name);
  });

  it.each([6, 7, 8, 9])("6 MISSING_PAYLOAD IDR of role %i", async (role) => {
    const without = edited(octets, (m) => {
      m.payloads = m.payloads.filter((p) => p.payload !== "IDR" || p.role !== role);
    });
    await refusedBy("MISSING_PAYLOAD", () => parseMessage(without));
  });

  it("6 MISSING_PAYLOAD SIGN", async () => {
    const unsigned = octets.slice(0, octets.length - 131);
    unsigned[unsigned.length - 75] = 0;
    await refusedBy("MISSING_PAYLOAD", () => parseMessage(unsigned));
  });

  it.each(["T", "RAND", "SP", "SAKKE", "GENERAL_EXT"])("7 DUPLICATE_PAYLOAD %s", async (name) => {
    const doubled = edited(octets, (m) => {
      m.payloads.push(m.payloads.find((p) => p.payload === name)!);
    });
    await refusedBy("DUPLICATE_PAYLOAD", () => parseMessage(doubled));
  });

  it.each([
    [8, 8],
    [8, 1],
    [9, 2],
    [6, 6],
    [7, 7],
  ])("7 DUPLICATE_PAYLOAD IDR of role %i beside role %i", async (given, added) => {
    const doubled = edited(octets, (m) => {
      const idr = m.payloads.find((p) => p.payload === "IDR" && p.role === given)!;
      m.payloads.push({ ...idr, role: added } as typeof idr);
    });
    await refusedBy("DUPLICATE_PAYLOAD", () => parseMessage(doubled));
  });

  it("except for other orders of payloads, and extensions and roles that are unknown", () => {
    const shuffled = edited(octets, (m) => {
      m.payloads.reverse();
      m.payloads.push({ payload: "GENERAL_EXT", type: 0, data: Uint8Array.of(1) });
      m.payloads.push({ payload: "IDR", role: 3, idType: 1, id: Uint8Array.of(0x61) });
      replace(m, "RAND", (p) => p);
    });
    expect(parseMessage(shuffled).csbId).toBe(0x06a12aea);
  });

  it("from a copy of its octets, which the parser keeps", () => {
    const mine = octets.slice();
    const parsed = parseMessage(mine);
    mine.fill(0);
    expect(parsed.octets).toEqual(octets);
    expect(parsed.signed).toEqual(octets.subarray(0, octets.length - 129));
  });
});
