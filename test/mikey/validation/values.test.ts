/** Checks 10 to 29: field values of TS 33.180 annex E. */
import { describe, expect, it } from "vitest";
import { toBase64, utf8 } from "../../../base/bytes.ts";
import type { CheckCode } from "../../../base/checks.ts";
import { sakkeToSelf } from "../../../bindings/mikey/general-extension.ts";
import type { CryptoSession } from "../../../bindings/mikey/hdr.ts";
import { parseMessage } from "../../../bindings/mikey/parse.ts";
import { sakke } from "../../../bindings/mikey/sakke.ts";
import type { Tolerance } from "../../../bindings/mikey/tolerance.ts";
import { type Edit, edited, type MessageDraft, replace } from "../../support/forge.ts";
import { refusedBy } from "../../support/refused-by.ts";
import { productionGmk } from "../../support/vectors.ts";

const { octets } = productionGmk().message;

const hdr =
  (changes: Partial<MessageDraft["hdr"]>): Edit =>
  (m) => {
    m.hdr = { ...m.hdr, ...changes };
  };

const session =
  (changes: Partial<CryptoSession>): Edit =>
  (m) => {
    m.hdr = { ...m.hdr, sessions: [{ ...m.hdr.sessions[0]!, ...changes }] };
  };

const idr =
  (role: number, changes: { id?: Uint8Array; idType?: number; role?: number }): Edit =>
  (m) =>
    replace(
      m,
      "IDR",
      (p) => ({ ...p, ...changes }),
      (p) => p.role === role,
    );

const parameter =
  (type: number, ...value: number[]): Edit =>
  (m) =>
    replace(m, "SP", (p) => ({
      ...p,
      parameters: [...p.parameters, { type, value: Uint8Array.from(value) }],
    }));

const selfWith =
  (changes: { params?: number; idScheme?: number; sed?: Uint8Array }): Edit =>
  (m) => {
    m.payloads.push(sakkeToSelf({ ...sakke(new Uint8Array(273)), ...changes }));
  };

const rows: [CheckCode, string, Edit][] = [
  ["BAD_VERSION", "version 2", hdr({ version: 2 })],
  ["BAD_DATA_TYPE", "SAKKE response", hdr({ dataType: 27 })],
  ["BAD_DATA_TYPE", "error message", hdr({ dataType: 6 })],
  ["V_FLAG_SET", "a response is asked for", hdr({ v: true })],
  ["BAD_PRF", "MIKEY-1", hdr({ prf: 0 })],
  ["BAD_PRF", "unknown", hdr({ prf: 2 })],
  ["CS_COUNT_MISMATCH", "sessions with the empty map", hdr({ mapType: 1, sessions: [] })],
  ["BAD_CRYPTO_SESSION", "prot type", session({ protType: 1 })],
  ["BAD_CRYPTO_SESSION", "SSRC of 3 octets", session({ sessionData: new Uint8Array(3) })],
  ["BAD_CRYPTO_SESSION", "S = 1 without data", session({ hasRoc: true })],
  ["BAD_CRYPTO_SESSION", "S = 0 with ROC", session({ sessionData: new Uint8Array(10) })],
  [
    "BAD_CRYPTO_SESSION",
    "one CS ID twice",
    (m) => hdr({ csCount: 2, sessions: [m.hdr.sessions[0]!, m.hdr.sessions[0]!] })(m),
  ],
  ["BAD_TIMESTAMP_TYPE", "NTP", (m) => replace(m, "T", (p) => ({ ...p, tsType: 1 }))],
  ["BAD_TIMESTAMP_TYPE", "COUNTER", (m) => replace(m, "T", (p) => ({ ...p, tsType: 2, value: 1n }))],
  ["RAND_TOO_SHORT", "15 octets", (m) => replace(m, "RAND", (p) => ({ ...p, rand: p.rand.slice(1) }))],
  ["BAD_IDENTITY", "UID of 31 octets", idr(8, { id: new Uint8Array(31) })],
  ["BAD_IDENTITY", "UID as hex", idr(9, { id: utf8("00".repeat(32)) })],
  ["BAD_IDENTITY", "44 octets that are no base64", idr(9, { id: utf8("!".repeat(44)) })],
  ["BAD_IDENTITY", "UID of type NAI", idr(8, { idType: 0 })],
  ["BAD_IDENTITY", "empty KMS URI", idr(6, { id: new Uint8Array(0) })],
  ["BAD_IDENTITY", "KMS URI of type byte string", idr(7, { idType: 2 })],
  ["BAD_IDENTITY", "URI that is no UTF-8", idr(8, { role: 1, id: Uint8Array.of(0xff) })],
  ["BAD_SECURITY_POLICY", "prot type", (m) => replace(m, "SP", (p) => ({ ...p, protType: 1 }))],
  ["BAD_SECURITY_POLICY", "a parameter twice", parameter(0, 6)],
  ["BAD_SECURITY_POLICY", "SRTP in the clear", parameter(7, 0)],
  ["BAD_SECURITY_POLICY", "unknown parameter", parameter(99, 0)],
  ["MISSING_POLICY", "session names another SP", session({ policies: [1] })],
  ["BAD_SAKKE_PARAMS", "set 2", (m) => replace(m, "SAKKE", (p) => ({ ...p, params: 2 }))],
  ["BAD_SAKKE_PARAMS", "set 2 to self", selfWith({ params: 2 })],
  ["BAD_ID_SCHEME", "tel URI", (m) => replace(m, "SAKKE", (p) => ({ ...p, idScheme: 1 }))],
  ["BAD_ID_SCHEME", "tel URI to self", selfWith({ idScheme: 1 })],
  ["BAD_SED_LENGTH", "272 octets", (m) => replace(m, "SAKKE", (p) => ({ ...p, sed: p.sed.slice(1) }))],
  ["BAD_SED_LENGTH", "289 octets to self", selfWith({ sed: new Uint8Array(289) })],
  [
    "BAD_SELF_EXTENSION",
    "empty",
    (m) => m.payloads.push({ payload: "GENERAL_EXT", type: 6, data: new Uint8Array(0) }),
  ],
  [
    "BAD_SELF_EXTENSION",
    "octets too many",
    (m) => {
      const { data } = sakkeToSelf(sakke(new Uint8Array(273)));
      m.payloads.push({ payload: "GENERAL_EXT", type: 6, data: Uint8Array.of(...data, 0) });
    },
  ],
  ["UNDEFINED_PURPOSE_TAG", "tag 7", hdr({ csbId: 0x70000000 })],
  ["UNDEFINED_PURPOSE_TAG", "tag 15", hdr({ csbId: 0xffffffff })],
];

describe("a message is refused for a field value:", () => {
  it.each(rows)("%s: %s", async (code, _name, edit) => {
    await refusedBy(code, () => parseMessage(edited(octets, edit)));
  });

  it("BAD_CS_ID_MAP: unknown and legacy types", async () => {
    const unknown = octets.slice();
    unknown[9] = 3;
    await refusedBy("BAD_CS_ID_MAP", () => parseMessage(unknown));
    await refusedBy("BAD_CS_ID_MAP", () => parseMessage(legacyMap()));
  });

  it("BAD_TIMESTAMP_TYPE: unknown", async () => {
    const unknown = octets.slice();
    unknown[26] = 4;
    await refusedBy("BAD_TIMESTAMP_TYPE", () => parseMessage(unknown));
  });

  it.each([0, 1, 3, 15])("BAD_SIGNATURE_TYPE: %i", async (sType) => {
    const changed = octets.slice();
    changed[octets.length - 131] = sType << 4;
    await refusedBy("BAD_SIGNATURE_TYPE", () => parseMessage(changed));
  });

  it("BAD_SIGNATURE_LENGTH: the 32 that E.1.2 prints", async () => {
    const changed = octets.slice(0, octets.length - 129 + 32);
    changed[octets.length - 130] = 32;
    await refusedBy("BAD_SIGNATURE_LENGTH", () => parseMessage(changed));
  });

  it("SP_WITH_EMPTY_MAP: refused only where configured, ignored otherwise", async () => {
    const withSp = edited(octets, hdr({ mapType: 1, csCount: 0, sessions: [] }));
    await refusedBy("SP_WITH_EMPTY_MAP", () =>
      parseMessage(withSp, { tolerance: { spWithEmptyMap: false } }),
    );
    expect(parseMessage(withSp).policies).toEqual([]);
  });
});

/** #CS = 2 with two SRTP-ID entries of policy 0 in place of the GENERIC-ID one. */
function legacyMap(): Uint8Array {
  const map = [0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 5, 6, 7, 8, 0, 0, 0, 0];
  return Uint8Array.of(...octets.subarray(0, 8), 2, 0, ...map, ...octets.subarray(25));
}

describe("a message is accepted where a tolerance is configured:", () => {
  it.each<[string, Uint8Array, Tolerance]>([
    ["the SRTP-ID map", legacyMap(), { srtpIdMap: true }],
    ["PRF 0", edited(octets, hdr({ prf: 0 })), { prfMikey1: true }],
    [
      "ID scheme 1",
      edited(octets, (m) => replace(m, "SAKKE", (p) => ({ ...p, idScheme: 1 }))),
      { idScheme1: true },
    ],
  ])("%s", (_name, message, tolerance) => {
    expect(() => parseMessage(message)).toThrow();
    expect(parseMessage(message, { tolerance }).csbId).toBe(0x06a12aea);
  });

  it("one tolerance only, which does not bring another", async () => {
    await refusedBy("BAD_PRF", () =>
      parseMessage(edited(octets, hdr({ prf: 2 })), { tolerance: { prfMikey1: true } }),
    );
    const scheme3 = edited(octets, (m) => replace(m, "SAKKE", (p) => ({ ...p, idScheme: 3 })));
    await refusedBy("BAD_ID_SCHEME", () => parseMessage(scheme3, { tolerance: { idScheme1: true } }));
  });
});

describe("a message is accepted", () => {
  it("with a UID as 32 octets of either type, or in base64", () => {
    const { uid } = productionGmk().gms;
    for (const form of [{ idType: 1 }, { idType: 2 }, { id: utf8(toBase64(uid)) }]) {
      expect(parseMessage(edited(octets, idr(8, form))).initiator).toEqual({ hidden: true, uid });
    }
  });

  it("with sessions without any SP: the default profile", () => {
    const message = edited(octets, (m) => {
      m.payloads = m.payloads.filter((p) => p.payload !== "SP");
    });
    expect(parseMessage(message).policies).toEqual([]);
  });
});
