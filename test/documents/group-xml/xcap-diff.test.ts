import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readXcapDiff, writeXcapDiff, type XcapDiff } from "../../../documents/group-xml/index.ts";
import { errorCode } from "../../support/error-code.ts";
import { ordinary, text } from "./arbitraries.ts";
import { validatorOf } from "./schema/validator.ts";
import { XCAP_DIFF_XSD } from "./schema/xcap-diff.ts";

const validate = validatorOf(XCAP_DIFF_XSD);
const NS = "urn:ietf:params:xml:ns:xcap-diff";

const sel = fc.webPath().map((path) => `auid${path}x`);
const etag = text.filter((t) => !/^".*"$/s.test(t));
const patch = fc.oneof(
  ordinary.map((add) => ({ add })),
  fc.integer({ min: 1, max: 4096 }).map((remove) => ({ remove })),
);
const document = fc.oneof(
  fc.record(
    { sel, newEtag: etag, previousEtag: etag, patches: fc.array(patch, { minLength: 1, maxLength: 3 }) },
    { requiredKeys: ["sel"] },
  ),
  fc.record({ sel, newEtag: etag, previousEtag: etag, bodyNotChanged: fc.constant(true) }),
);
const nodes = fc.array(fc.record({ sel, exists: fc.boolean() }), { minLength: 1, maxLength: 2 });
const diff: fc.Arbitrary<XcapDiff> = fc.record(
  {
    xcapRoot: fc.webUrl(),
    documents: fc.array(document, { maxLength: 4 }),
    elements: nodes,
    attributes: nodes,
  },
  { requiredKeys: ["xcapRoot", "documents"] },
);

describe("xcap-diff documents", () => {
  it("are valid, and read as they were written", () => {
    fc.assert(
      fc.property(diff, (value) => {
        const xml = writeXcapDiff(value);
        validate(xml);
        expect(readXcapDiff(xml)).toEqual(value);
      }),
    );
  });

  it("with entity tags only have the form of TS 24.481 6.3.13", () => {
    const xml = `<xcap-diff xmlns="urn:ietf:params:xml:ns:xcap-diff" xcap-root="https://.../">
  <document sel="org.openmobilealliance.groups/global/byGroupID/tel%3Ag001" new-etag="..."/>
</xcap-diff>
`;
    const value = {
      xcapRoot: "https://.../",
      documents: [{ sel: "org.openmobilealliance.groups/global/byGroupID/tel%3Ag001", newEtag: "..." }],
    };
    expect(readXcapDiff(xml)).toEqual(value);
    expect(readXcapDiff(writeXcapDiff(value))).toEqual(value);
    expect(writeXcapDiff(value)).not.toContain("xmlns:g");
  });

  it("have etags without quotes, whichever way they are given", () => {
    const xml = writeXcapDiff({
      xcapRoot: "x",
      documents: [{ sel: "d", newEtag: '"2"', previousEtag: '"0"' }],
    });
    expect(xml).toContain('new-etag="2"');
    expect(xml).toContain('previous-etag="0"');
    const quoted = `<xcap-diff xmlns="${NS}" xcap-root="x"><document sel="d" new-etag="&quot;2&quot;" previous-etag='"0"'/></xcap-diff>`;
    expect(readXcapDiff(quoted).documents).toEqual([{ sel: "d", newEtag: "2", previousEtag: "0" }]);
  });

  it("are read with any prefix and with extensions", () => {
    const xml = `<d:xcap-diff xmlns:d="${NS}" xmlns="urn:other" xcap-root="https://x/" lang="en">
      <document sel="no"/>
      <d:document sel=" a " previous-etag="1"><ext><d:add/></ext></d:document>
      <d:element sel="b"><name/></d:element>
      <d:attribute sel="c" exists="0"/>
    </d:xcap-diff>`;
    expect(readXcapDiff(xml)).toEqual({
      xcapRoot: "https://x/",
      documents: [{ sel: "a", previousEtag: "1" }],
      elements: [{ sel: "b", exists: true }],
      attributes: [{ sel: "c", exists: false }],
    });
  });

  const root = (content: string) => `<xcap-diff xmlns="${NS}" xcap-root="x">${content}</xcap-diff>`;
  it.each([
    ["no namespace", '<xcap-diff xcap-root="x"/>', "ROOT"],
    ["no root of the server", `<xcap-diff xmlns="${NS}"/>`, "MISSING"],
    ["no selector", root('<document new-etag="1"/>'), "MISSING"],
    ["an empty selector", root('<document sel=" "/>'), "VALUE"],
    ["a long selector", root(`<document sel="${"a".repeat(4097)}"/>`), "LIMIT"],
    ["too many documents", root('<document sel="a"/>'.repeat(4097)), "LIMIT"],
    ["too many elements", root('<element sel="a"/>'.repeat(4097)), "LIMIT"],
    [
      "two statements of no change",
      root(`<document sel="a">${"<body-not-changed/>".repeat(2)}</document>`),
      "DUPLICATE",
    ],
    ["a truth that is none", root('<element sel="a" exists="perhaps"/>'), "VALUE"],
  ])("with %s are refused", (_, xml, code) => {
    expect(errorCode(() => readXcapDiff(xml))).toBe(`codec/GROUP_XML_${code}`);
  });

  it("do not state both no change and a patch of one document", () => {
    const value = { sel: "d", bodyNotChanged: true, patches: [{ remove: 1 }] };
    expect(errorCode(() => writeXcapDiff({ xcapRoot: "x", documents: [value] }))).toBe("usage/BAD_PATCH");
  });
});
