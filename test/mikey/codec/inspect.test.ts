import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, toHex } from "../../../base/bytes.ts";
import { sakkeToSelf } from "../../../bindings/mikey/general-extension.ts";
import { inspectMessage } from "../../../bindings/mikey/inspect.ts";
import { sakke } from "../../../bindings/mikey/sakke.ts";
import { edited } from "../../support/forge.ts";
import { productionGmk } from "../../support/vectors.ts";

const { octets } = productionGmk().message;
const field = (inspection: ReturnType<typeof inspectMessage>, section: number, name: string) =>
  inspection.sections[section]!.fields.find((f) => f.name === name);

describe("the inspector on the production message", () => {
  const inspection = inspectMessage(octets);

  it("finds nothing wrong and nothing unread", () => {
    expect(inspection.problems).toEqual([]);
    expect(inspection.unread).toBeUndefined();
  });

  it("lists all sections without a gap", () => {
    expect(inspection.sections.map((s) => s.name)).toEqual([
      "HDR",
      "T",
      "RAND",
      "IDR",
      "IDR",
      "IDR",
      "IDR",
      "SP",
      "SAKKE",
      "General Extension",
      "SIGN",
    ]);
    let at = 0;
    for (const section of inspection.sections) {
      expect(section.offset).toBe(at);
      at += section.length;
    }
    expect(at).toBe(octets.length);
  });

  it("gives fields their offsets, values and meanings", () => {
    expect(field(inspection, 0, "CSB ID")).toEqual({
      name: "CSB ID",
      offset: 4,
      length: 4,
      value: 0x06a12aea,
      meaning: "GUK-ID 06a12aea",
    });
    expect(field(inspection, 0, "CS ID")?.meaning).toBe("MCPTT group call");
    expect(field(inspection, 1, "TS value")?.meaning).toBe("2025-10-02T23:47:52.000Z");
    expect(field(inspection, 5, "ID data")?.meaning).toBe("kms.mydev.streamwide.com");
    expect(field(inspection, 7, "encryption algorithm")?.meaning).toBe("AES-GCM");
    expect(field(inspection, 9, "DPPK-ID")?.meaning).toBe("06a12aea");
    expect(field(inspection, 10, "S type")?.meaning).toBe("ECCSI");
    for (const { fields } of inspection.sections) {
      for (const f of fields) {
        if (!(f.value instanceof Uint8Array)) continue;
        expect(toHex(f.value)).toBe(toHex(octets.slice(f.offset, f.offset + f.length)));
      }
    }
  });
});

describe("the inspector on broken messages", () => {
  it("shows what precedes a cut, and where the cut is", () => {
    const inspection = inspectMessage(octets.subarray(0, 70));
    expect(inspection.problems).toEqual([expect.objectContaining({ code: "TRUNCATED", offset: 58 })]);
    expect(inspection.sections.map((s) => s.name)).toEqual(["HDR", "T", "RAND", "IDR"]);
    expect(field(inspection, 3, "ID length")?.value).toBe(32);
    expect(inspection.unread).toEqual({ offset: 58, length: 12 });
  });

  it("goes on after wrong values and names them all", () => {
    const changed = octets.slice();
    changed[0] = 2;
    changed[1] = 0;
    changed[3] = 0x80;
    const codes = inspectMessage(changed).problems.map((p) => p.code);
    expect(codes).toEqual(["BAD_VERSION", "BAD_DATA_TYPE", "V_FLAG_SET", "BAD_PRF"]);
  });

  it("does not report as missing what it could not reach", () => {
    const changed = octets.slice();
    changed[2] = 99;
    const { problems, unread } = inspectMessage(changed);
    expect(problems).toEqual([expect.objectContaining({ code: "UNKNOWN_PAYLOAD", offset: 2 })]);
    expect(unread).toEqual({ offset: 25, length: octets.length - 25 });
  });

  it("names octets after the end", () => {
    const { problems, unread } = inspectMessage(concat(octets, Uint8Array.of(0)));
    expect(problems).toEqual([expect.objectContaining({ code: "TRAILING_OCTETS", offset: octets.length })]);
    expect(unread).toEqual({ offset: octets.length, length: 1 });
  });

  it("reads past payloads that do not belong in the message", () => {
    const withId = concat(octets.subarray(0, 25), Uint8Array.of(5, 1, 0, 1, 0x61), octets.subarray(25));
    withId[2] = 6;
    const { problems, sections } = inspectMessage(withId);
    expect(sections[1]!.name).toBe("ID");
    expect(sections).toHaveLength(12);
    expect(problems.map((p) => p.code)).toEqual(["UNEXPECTED_PAYLOAD"]);
  });

  it("shows the inside of SAKKE-to-self, and what is readable of a broken one", () => {
    const whole = edited(octets, (m) => m.payloads.push(sakkeToSelf(sakke(new Uint8Array(273)))));
    expect(field(inspectMessage(whole), 10, "SAKKE data length")?.value).toBe(273);
    expect(inspectMessage(whole).problems).toEqual([]);
    const cut = edited(octets, (m) =>
      m.payloads.push({ payload: "GENERAL_EXT", type: 6, data: Uint8Array.of(0, 1, 2) }),
    );
    expect(field(inspectMessage(cut), 10, "SAKKE params")?.value).toBe(1);
    expect(inspectMessage(cut).problems.map((p) => p.code)).toEqual(["BAD_SELF_EXTENSION"]);
  });

  it("names key parameters in the clear, unless they are tolerated", () => {
    const clear = edited(octets, (m) => {
      m.payloads = m.payloads.map((p) =>
        p.payload === "GENERAL_EXT" ? { ...p, data: Uint8Array.of(1, 0) } : p,
      );
    });
    expect(inspectMessage(clear).problems.map((p) => p.code)).toEqual(["UNPROTECTED_PARAMETERS"]);
    expect(inspectMessage(clear, { tolerance: { unprotectedParameters: true } }).problems).toEqual([]);
  });

  it("never throws, and reports every octet as read or unread", () => {
    fc.assert(
      fc.property(fc.nat(octets.length - 1), fc.nat(255), fc.nat(octets.length), (at, value, length) => {
        const changed = octets.slice(0, length);
        if (at < length) changed[at] = value;
        const { sections, unread, problems } = inspectMessage(changed);
        const read = sections.reduce((sum, s) => sum + s.length, 0);
        expect(read + (unread?.length ?? 0)).toBe(length);
        if (length < octets.length) expect(problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  it("refuses a value that is not octets", () => {
    expect(() => inspectMessage("text" as unknown as Uint8Array)).toThrow(
      expect.objectContaining({ kind: "usage", code: "NOT_BYTES" }),
    );
  });
});
