import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MikeySakkeError } from "../../../base/errors.ts";
import { parseXml, type XmlLimits } from "../../../documents/xml/xml-reader.ts";

function codeOf(xml: string | Uint8Array, limits?: Partial<XmlLimits>): string | undefined {
  try {
    parseXml(xml, limits);
    return undefined;
  } catch (error) {
    if (error instanceof MikeySakkeError && error.kind === "codec") return error.code;
    throw error;
  }
}

describe("the XML reader", () => {
  it("gives elements, attributes, namespaces, text and paths", () => {
    const root = parseXml(
      '<a xmlns="urn:a" xmlns:b="urn:b" x="1 &lt; 2"><b:c b:y="&#65;"/>t&amp;<![CDATA[<u>]]><c/><c><d/></c></a>',
    );
    expect(root).toMatchObject({ local: "a", namespace: "urn:a", path: "/a", text: "t&<u>" });
    expect(root.attributes).toEqual([{ local: "x", namespace: "", value: "1 < 2" }]);
    expect(root.children.map((c) => [c.namespace, c.local, c.path])).toEqual([
      ["urn:b", "c", "/a/c"],
      ["urn:a", "c", "/a/c[2]"],
      ["urn:a", "c", "/a/c[3]"],
    ]);
    expect(root.children[0]!.attributes).toEqual([{ local: "y", namespace: "urn:b", value: "A" }]);
    expect(root.children[2]!.children[0]!.path).toBe("/a/c[3]/d");
  });

  it.each([
    ["a document type", "<!DOCTYPE a><a/>", "XML_DTD"],
    ["an external entity", '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>', "XML_DTD"],
    ["nested entities", '<!DOCTYPE a [<!ENTITY e "x"><!ENTITY f "&e;&e;">]><a>&f;</a>', "XML_DTD"],
    ["an HTML entity", "<a>&nbsp;</a>", "XML_NOT_WELL_FORMED"],
    ["a character that XML forbids", "<a>&#0;</a>", "XML_NOT_WELL_FORMED"],
    ["an undeclared prefix", "<b:a/>", "XML_NOT_WELL_FORMED"],
    ["a repeated attribute", '<a x="1" x="2"/>', "XML_NOT_WELL_FORMED"],
    [
      "an attribute repeated by namespace",
      '<a xmlns:p="u" xmlns:q="u" p:x="1" q:x="2"/>',
      "XML_NOT_WELL_FORMED",
    ],
    ["an unclosed element", "<a><b></a>", "XML_NOT_WELL_FORMED"],
    ["an end too early", "<a><b>", "XML_NOT_WELL_FORMED"],
    ["two roots", "<a/><a/>", "XML_NOT_WELL_FORMED"],
    ["text after the root", "<a/>text", "XML_NOT_WELL_FORMED"],
    ["no element", "", "XML_NOT_WELL_FORMED"],
    ["no XML", "mikey AQAFAP", "XML_NOT_WELL_FORMED"],
    ["another encoding", '<?xml version="1.0" encoding="ISO-8859-1"?><a/>', "XML_ENCODING"],
  ])("refuses %s", (_, xml, code) => {
    expect(codeOf(xml)).toBe(code);
  });

  it("refuses octets that are not UTF-8", () => {
    expect(codeOf(Uint8Array.of(0x3c, 0x61, 0x2f, 0x3e))).toBeUndefined();
    expect(codeOf(Uint8Array.of(0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e))).toBe("BAD_UTF8");
    expect(codeOf(Uint8Array.of(0xff, 0xfe, 0x3c, 0x00, 0x61, 0x00))).toBe("BAD_UTF8");
  });

  it("keeps its limits, and reads a document up to them", () => {
    const nested = (n: number) => "<a>".repeat(n) + "</a>".repeat(n);
    expect(codeOf(nested(4), { maxDepth: 4 })).toBeUndefined();
    expect(codeOf(nested(5), { maxDepth: 4 })).toBe("XML_TOO_DEEP");
    expect(codeOf("<a><b/><b/></a>", { maxElements: 3 })).toBeUndefined();
    expect(codeOf("<a><b/><b/></a>", { maxElements: 2 })).toBe("XML_TOO_LARGE");
    expect(codeOf("<a/>", { maxLength: 4 })).toBeUndefined();
    expect(codeOf("<a/> ", { maxLength: 4 })).toBe("XML_TOO_LARGE");
    expect(codeOf(nested(100_000))).toBe("XML_TOO_DEEP");
  });

  it("names line and column of an error", () => {
    expect(() => parseXml("<a>\n  <b>\n</a>")).toThrow(/^XML document: .*\(line 3, column \d+\)$/);
  });

  it("ends with an element or a codec error for any input", () => {
    const pieces = fc.constantFrom(
      "<a",
      ">",
      "</a>",
      "/>",
      " x='",
      "'",
      "&lt;",
      "&#",
      ";",
      "<!--",
      "-->",
      "<![CDATA[",
      "]]>",
      "<?x",
      "?>",
      "<!DOCTYPE",
      "t",
      "\n",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        const xml = parts.join("");
        if (codeOf(xml) === undefined) expect(parseXml(xml).local).toMatch(/^at*$/);
      }),
      { numRuns: 500 },
    );
  });
});
