import fc from "fast-check";
import { XmlDocument } from "libxml2-wasm";
import { describe, expect, it } from "vitest";
import {
  applyPatches,
  type GktpEntry,
  type GktpPatch,
  readXcapDiff,
  writeGktpDocument,
  writeXcapDiff,
} from "../../../documents/group-xml/index.ts";
import { errorCode } from "../../support/error-code.ts";
import { entry, ordinary } from "./arbitraries.ts";
import { validatorOf } from "./schema/validator.ts";
import { XCAP_DIFF_XSD } from "./schema/xcap-diff.ts";

const validate = validatorOf(XCAP_DIFF_XSD);
const NAMESPACES = { g: "urn:3gpp:ns:mcpttGKTP:1.0" };
const a: GktpEntry = { id: "a", octets: Uint8Array.of(1) };
const b: GktpEntry = { id: "b", octets: Uint8Array.of(2) };

/** Through the wire. */
function sent(patches: readonly GktpPatch[]): readonly GktpPatch[] {
  const xml = writeXcapDiff({ xcapRoot: "https://x/", documents: [{ sel: "d", newEtag: "n", patches }] });
  validate(xml);
  return readXcapDiff(xml).documents[0]!.patches ?? [];
}

/** Each number removes the entry there, if there is one. */
const step = fc.oneof(ordinary, fc.nat({ max: 9 }));

describe("patches of GKTP documents", () => {
  it("from the empty document, by any number of adds and removes, give the entries of the model", () => {
    fc.assert(
      fc.property(fc.array(fc.array(step, { maxLength: 8 }), { maxLength: 4 }), (notifications) => {
        const model: GktpEntry[] = [];
        let held: GktpEntry[] = [];
        for (const steps of notifications) {
          const patches: GktpPatch[] = [];
          for (const at of steps) {
            if (typeof at === "object") patches.push({ add: at });
            else if (at < model.length) patches.push({ remove: at + 1 });
            else continue;
            if (typeof at === "object") model.push(at);
            else model.splice(at, 1);
          }
          held = applyPatches(held, sent(patches));
          expect(held).toEqual(model);
        }
      }),
    );
  });

  it("have selectors that libxml2 finds the same entries with", () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 6 }), fc.nat(), (entries, n) => {
        const plain = entries.filter((e) => e.temporaryGroup === undefined);
        fc.pre(plain.length > 0);
        const remove = (n % plain.length) + 1;
        const xml = writeXcapDiff({
          xcapRoot: "x",
          documents: [{ sel: "d", patches: [{ remove }, { add: a }] }],
        });
        const [removeSel, addSel] = [...xml.matchAll(/<(?:add|remove) sel="([^"]*)"/g)].map((m) => m[1]!);
        const document = XmlDocument.fromString(writeGktpDocument(entries));
        const target = document.get(`/${removeSel}/@id`, NAMESPACES);
        const parents = document.find(`/${addSel}`, NAMESPACES);
        const found = [target?.content, parents.length];
        document.dispose();
        expect(found).toEqual([plain[remove - 1]!.id, 1]);
      }),
    );
  });

  it("leave the given entries, and those of temporary groups, unchanged", () => {
    const regrouped = { ...b, temporaryGroup: "sip:t" };
    const before = Object.freeze([regrouped, a]);
    expect(applyPatches(before, [{ remove: 1 }, { add: b }, { add: a }])).toEqual([b, a, regrouped]);
    expect(applyPatches(before, [])).toEqual([a, regrouped]);
  });

  it("of another version are refused", () => {
    expect(errorCode(() => applyPatches([a], [{ remove: 2 }]))).toBe("codec/XCAP_PATCH");
    expect(errorCode(() => applyPatches([a], [{ remove: 1 }, { remove: 1 }]))).toBe("codec/XCAP_PATCH");
    expect(errorCode(() => applyPatches([a], [{ remove: 0 }]))).toBe("codec/XCAP_PATCH");
  });

  it("that cannot be written are refused", () => {
    expect(errorCode(() => sent([{ add: { ...a, temporaryGroup: "sip:t" } }]))).toBe("usage/BAD_PATCH");
    for (const remove of [0, -1, 1.5, Number.NaN, 1e10]) {
      expect(
        errorCode(() => sent([{ remove }])),
        `${remove}`,
      ).toBe("usage/BAD_PATCH");
    }
  });
});

describe("patches by other implementations", () => {
  const G = 'xmlns:g="urn:3gpp:ns:mcpttGKTP:1.0"';
  const gktp = '<GKTP xmlns="urn:3gpp:ns:mcpttGKTP:1.0" id="a">01</GKTP>';
  const read = (operations: string, declared = G) =>
    readXcapDiff(
      `<xcap-diff xmlns="urn:ietf:params:xml:ns:xcap-diff" ${declared} xcap-root="x"><document sel="d">${operations}</document></xcap-diff>`,
    ).documents[0]!.patches;

  it.each([
    [`<add sel="g:GKTPs/g:GMK-GKTPs">${gktp}</add>`],
    [`<add sel="/g:GKTPs/g:GMK-GKTPs"><g:GKTP id="a">01</g:GKTP></add>`],
    [`<add sel="GKTPs/GMK-GKTPs">${gktp}</add>`],
    [`<add xmlns:p="urn:3gpp:ns:mcpttGKTP:1.0" sel="p:GKTPs/g:GMK-GKTPs">${gktp}</add>`],
  ])("are applied: %s", (operation) => {
    expect(read(operation)).toEqual([{ add: a }]);
  });

  it("are applied with a default namespace of their own (RFC 5261 4.2.2)", () => {
    const xml = `<d:xcap-diff xmlns:d="urn:ietf:params:xml:ns:xcap-diff" xmlns="urn:3gpp:ns:mcpttGKTP:1.0" xcap-root="x">
      <d:document sel="s"><d:add sel="GKTPs/GMK-GKTPs"><GKTP id="a">01</GKTP></d:add><d:remove sel="GKTPs/GMK-GKTPs/GKTP[12]"/></d:document>
    </d:xcap-diff>`;
    expect(readXcapDiff(xml).documents[0]!.patches).toEqual([{ add: a }, { remove: 12 }]);
  });

  it.each([
    ["a replacement", '<replace sel="g:GKTPs/g:GMK-GKTPs/g:GKTP[1]">x</replace>'],
    ["a place other than the end", `<add sel="g:GKTPs/g:GMK-GKTPs" pos="prepend">${gktp}</add>`],
    ["an attribute", '<add sel="g:GKTPs/g:GMK-GKTPs" type="@id">x</add>'],
    ["two elements at once", `<add sel="g:GKTPs/g:GMK-GKTPs">${gktp}${gktp}</add>`],
    ["nothing", '<add sel="g:GKTPs/g:GMK-GKTPs"/>'],
    ["another element", '<add sel="g:GKTPs/g:GMK-GKTPs"><g:anyExt/></add>'],
    ["an element of another namespace", '<add sel="g:GKTPs/g:GMK-GKTPs"><GKTP id="a">01</GKTP></add>'],
    ["another parent", `<add sel="g:GKTPs/g:MKFC-GKTPs">${gktp}</add>`],
    ["another namespace", `<add xmlns:g="urn:other" sel="g:GKTPs/g:GMK-GKTPs">${gktp}</add>`],
    ["a prefix that is not declared", `<add sel="h:GKTPs/h:GMK-GKTPs">${gktp}</add>`],
    ["an addition below an entry", `<add sel="g:GKTPs/g:GMK-GKTPs/g:GKTP[1]">${gktp}</add>`],
    ["removal of all", '<remove sel="g:GKTPs/g:GMK-GKTPs"/>'],
    ["removal by attribute", '<remove sel="g:GKTPs/g:GMK-GKTPs/g:GKTP[@id=&quot;a&quot;]"/>'],
    ["removal without position", '<remove sel="g:GKTPs/g:GMK-GKTPs/g:GKTP"/>'],
    ["position 0", '<remove sel="g:GKTPs/g:GMK-GKTPs/g:GKTP[0]"/>'],
    ["a huge position", '<remove sel="g:GKTPs/g:GMK-GKTPs/g:GKTP[99999999999999999999]"/>'],
    ["no selector", `<add>${gktp}</add>`],
    ["an unknown operation", '<rename sel="g:GKTPs/g:GMK-GKTPs"/>'],
  ])("with %s make the client fetch the document", (_, operation) => {
    expect(read(operation)).toBeUndefined();
    expect(read(`<add sel="g:GKTPs/g:GMK-GKTPs">${gktp}</add>${operation}`)).toBeUndefined();
  });

  it("with a malformed entry are refused", () => {
    const bad = `<add sel="g:GKTPs/g:GMK-GKTPs">${gktp.replace("01", "0")}</add>`;
    expect(errorCode(() => read(bad))).toBe("codec/GROUP_XML_VALUE");
    expect(errorCode(() => read(`<add sel="g:GKTPs/g:GMK-GKTPs">${gktp}</add>`.repeat(8193)))).toBe(
      "codec/GROUP_XML_LIMIT",
    );
  });
});
