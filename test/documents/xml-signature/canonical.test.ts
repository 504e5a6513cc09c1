/** Canonical XML: the examples of the recommendation that need no document type, and libxml2 on random documents. */
import fc from "fast-check";
import { XmlC14NMode, XmlDocument, type XmlElement } from "libxml2-wasm";
import { describe, expect, it } from "vitest";
import { type CanonicalForm, canonicalize } from "../../../documents/xml-signature/canonical.ts";
import { type ElementNode, elementsOf, parseNodes } from "../../../documents/xml-signature/node-tree.ts";
import { anyXml } from "./random-xml.ts";

const text = (octets: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(octets);
const canonical = (xml: string, form?: CanonicalForm) => text(canonicalize(parseNodes(xml), form));

/** All elements in document order. */
function allElements(root: ElementNode): ElementNode[] {
  return [root, ...elementsOf(root).flatMap(allElements)];
}

describe("Canonical XML 1.0", () => {
  it("has no comments nor anything outside the root, but processing instructions (3.1)", () => {
    const xml = [
      '<?xml version="1.0"?>',
      "",
      '<?xml-stylesheet   href="doc.xsl"',
      '   type="text/xsl"   ?>',
      "",
      "<doc>Hello, world!<!-- Comment 1 --></doc>",
      "",
      "<?pi-without-data     ?>",
      "",
      "<!-- Comment 2 -->",
      "",
      "<!-- Comment 3 -->",
      "",
    ].join("\n");
    const stylesheet = '<?xml-stylesheet href="doc.xsl"\n   type="text/xsl"   ?>\n';
    expect(canonical(xml)).toBe(`${stylesheet}<doc>Hello, world!</doc>\n<?pi-without-data?>`);
    expect(canonical(xml, { comments: true })).toBe(
      `${stylesheet}<doc>Hello, world!<!-- Comment 1 --></doc>\n<?pi-without-data?>\n<!-- Comment 2 -->\n<!-- Comment 3 -->`,
    );
  });

  it("keeps white space (3.2)", () => {
    const xml =
      "<doc>\n   <clean>   </clean>\n   <mixed>\n      A\n      <clean>   </clean>\n   </mixed>\n</doc>";
    expect(canonical(`${xml}\n`)).toBe(xml);
  });

  it("writes start and end tags as required (3.3)", () => {
    const xml = `<doc>
   <e1   />
   <e2   ></e2>
   <e3   name = "elem3"   id="elem3"   />
   <e4   name="elem4"   id="elem4"   ></e4>
   <e5 a:attr="out" b:attr="sorted" attr2="all" attr="I'm"
      xmlns:b="http://www.ietf.org"
      xmlns:a="http://www.w3.org"
      xmlns="http://example.org"/>
   <e6 xmlns="" xmlns:a="http://www.w3.org">
      <e7 xmlns="http://www.ietf.org">
         <e8 xmlns="" xmlns:a="http://www.w3.org">
            <e9 xmlns="" xmlns:a="http://www.ietf.org"/>
         </e8>
      </e7>
   </e6>
</doc>`;
    expect(canonical(xml)).toBe(`<doc>
   <e1></e1>
   <e2></e2>
   <e3 id="elem3" name="elem3"></e3>
   <e4 id="elem4" name="elem4"></e4>
   <e5 xmlns="http://example.org" xmlns:a="http://www.w3.org" xmlns:b="http://www.ietf.org" attr="I'm" attr2="all" b:attr="sorted" a:attr="out"></e5>
   <e6 xmlns:a="http://www.w3.org">
      <e7 xmlns="http://www.ietf.org">
         <e8 xmlns="">
            <e9 xmlns:a="http://www.ietf.org"></e9>
         </e8>
      </e7>
   </e6>
</doc>`);
  });

  it("resolves character references and CDATA (3.4)", () => {
    const xml = `<doc>
   <text>First line&#x0d;&#10;Second line</text>
   <value>&#x32;</value>
   <compute><![CDATA[value>"0" && value<"10" ?"valid":"error"]]></compute>
   <norm attr=' &apos;   &#x20;&#13;&#xa;&#9;   &apos; '/>
</doc>`;
    expect(canonical(xml)).toBe(`<doc>
   <text>First line&#xD;
Second line</text>
   <value>2</value>
   <compute>value&gt;"0" &amp;&amp; value&lt;"10" ?"valid":"error"</compute>
   <norm attr=" '    &#xD;&#xA;&#x9;   ' "></norm>
</doc>`);
  });

  it("is UTF-8 (3.6)", () => {
    const xml = '<?xml version="1.0" encoding="UTF-8"?><doc>&#169;</doc>';
    expect([...canonicalize(parseNodes(xml))]).toEqual([...new TextEncoder().encode("<doc>©</doc>")]);
  });

  it("gives an element the namespaces and xml: attributes around it (2.4)", () => {
    const { root } = parseNodes(
      '<a xmlns="urn:a" xmlns:p="urn:p" xmlns:q="urn:q" xml:lang="de" xml:space="preserve"><b xmlns:q="urn:r" xml:lang="en"><c/></b></a>',
    );
    const c = allElements(root)[2]!;
    const lang = 'xml:lang="en" xml:space="preserve"';
    expect(text(canonicalize(c))).toBe(`<c xmlns="urn:a" xmlns:p="urn:p" xmlns:q="urn:r" ${lang}></c>`);
    expect(text(canonicalize(c, { exclusive: { inclusivePrefixes: new Set(["q"]) } }))).toBe(
      '<c xmlns="urn:a" xmlns:q="urn:r"></c>',
    );
  });

  it("refuses relative namespace URIs (1.3)", () => {
    for (const uri of ["TOBEDEFINED", "../a", "urn:a b", " urn:a"]) {
      expect(() => canonical(`<a xmlns:p="${uri}"/>`)).toThrow(
        expect.objectContaining({ kind: "verification", code: "XML_SIGNATURE_MALFORMED" }),
      );
    }
  });

  it("escapes namespace URIs like attributes", () => {
    expect(canonical("<a xmlns='http://example.org/?a=1&amp;b=\"'/>")).toBe(
      '<a xmlns="http://example.org/?a=1&amp;b=&quot;"></a>',
    );
  });

  it("can leave out one element", () => {
    const document = parseNodes("<a>1<b>2</b>3<b>4</b></a>");
    expect(text(canonicalize(document, { without: elementsOf(document.root)[0]! }))).toBe(
      "<a>13<b>4</b></a>",
    );
  });
});

describe("libxml2", () => {
  const PREFIXES = ["p", "\u{10400}"];
  const forms: [string, CanonicalForm, number][] = [
    ["inclusive", {}, XmlC14NMode.XML_C14N_1_0],
    ["inclusive, with comments", { comments: true }, XmlC14NMode.XML_C14N_1_0],
    ["exclusive", { exclusive: { inclusivePrefixes: new Set() } }, XmlC14NMode.XML_C14N_EXCLUSIVE_1_0],
    [
      "exclusive, with prefixes and comments",
      { comments: true, exclusive: { inclusivePrefixes: new Set(PREFIXES) } },
      XmlC14NMode.XML_C14N_EXCLUSIVE_1_0,
    ],
  ];

  it.each(forms)(
    "agrees with our canonical form on random documents and their elements: %s",
    (_, form, mode) => {
      const options = {
        mode: mode as 0 | 1,
        withComments: form.comments ?? false,
        ...(form.exclusive?.inclusivePrefixes.size ? { inclusiveNamespacePrefixes: PREFIXES } : {}),
      };
      fc.assert(
        fc.property(anyXml, fc.nat(), (xml, pick) => {
          const ours = parseNodes(xml);
          const elements = allElements(ours.root);
          const n = pick % elements.length;
          const document = XmlDocument.fromString(xml);
          try {
            expect(text(canonicalize(ours, form))).toBe(document.canonicalizeToString(options));
            const element = document.get(`(//*)[${n + 1}]`) as XmlElement;
            expect(text(canonicalize(elements[n]!, form))).toBe(element.canonicalizeToString(options));
          } finally {
            document.dispose();
          }
        }),
        { numRuns: 300 },
      );
    },
  );

  it("reads a canonical document as the same", () => {
    fc.assert(
      fc.property(anyXml, (xml) => {
        const once = canonical(xml, { comments: true });
        expect(canonical(once, { comments: true })).toBe(once);
      }),
    );
  });
});
