/** Signatures both ways with xml-crypto, on documents of every sort. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromUtf8 } from "../../../base/bytes.ts";
import { parseXml, type XmlElement } from "../../../documents/xml/xml-reader.ts";
import {
  C14N,
  C14N_WITH_COMMENTS,
  ENVELOPED,
  EXCLUSIVE_C14N,
} from "../../../documents/xml-signature/algorithms.ts";
import { type NamedKey, signXml, verifyXml } from "../../../documents/xml-signature/index.ts";
import { errorCode } from "../../support/error-code.ts";
import { anyXml } from "./random-xml.ts";
import { type ForeignOptions, foreignSign, foreignVerify } from "./xml-crypto.ts";

const KEY: NamedKey = { id: "InK-1 <&>", key: new Uint8Array(32).map((_, i) => i + 1) };
const DOCUMENT = `<?xml version="1.0" encoding="UTF-8"?>
<!-- before -->
<SignedKmsRequest xmlns="urn:3gpp:ns:mcsecKMSInterface:1.0" xmlns:x="urn:x" Id="whole" xml:lang="en">
  <KmsRequest Id="xmldoc" x:b="2" a='1'><UserUri>sip:alice@example.org</UserUri><e/>
    <![CDATA[<&>]]>&#13;</KmsRequest>
</SignedKmsRequest>
<!-- </SignedKmsRequest> -->
`;
const REQUEST = `<KmsRequest xmlns="urn:3gpp:ns:mcsecKMSInterface:1.0" xmlns:x="urn:x" Id="xmldoc" a="1"`;

const open = (xml: string | Uint8Array) => verifyXml(xml, (name) => (name === KEY.id ? KEY : undefined));
const isEmpty = ({ children, text }: XmlElement) => children.length === 0 && text === "";
const content = (xml: string) => fromUtf8(open(xml).content);

describe("signXml", () => {
  it("signs a child of the root and puts the signature last", () => {
    const signed = signXml(DOCUMENT, "xmldoc", KEY);
    const root = parseXml(signed);
    expect(root.children.map((c) => c.local)).toEqual(["KmsRequest", "Signature"]);
    expect(signed.endsWith("</ds:Signature></SignedKmsRequest>\n<!-- </SignedKmsRequest> -->\n")).toBe(true);
    expect(signed.replace(/<ds:Signature .*<\/ds:Signature>/, "")).toBe(DOCUMENT);
    const verified = open(signed);
    expect(verified.keyId).toBe(KEY.id);
    expect(signed).toContain(
      `<ds:SignatureValue>${Buffer.from(verified.signatureValue).toString("base64")}<`,
    );
    expect(fromUtf8(verified.content)).toBe(
      `${REQUEST} xml:lang="en" x:b="2"><UserUri>sip:alice@example.org</UserUri><e></e>\n    &lt;&amp;&gt;&#xD;</KmsRequest>`,
    );
  });

  it("signs a root as enveloped", () => {
    const signed = signXml(DOCUMENT, "whole", KEY);
    expect(signed).toContain(`Algorithm="${ENVELOPED}"/><ds:Transform Algorithm="${C14N}"`);
    expect(content(signed)).toMatch(
      /^<SignedKmsRequest [^>]*>\n {2}<KmsRequest [\s\S]*<\/KmsRequest>\n<\/SignedKmsRequest>$/,
    );
  });

  it("is confirmed by xml-crypto", () => {
    for (const id of ["xmldoc", "whole"]) {
      const plain = DOCUMENT.replace(/<!--.*-->\n/g, "").replace(' xml:lang="en"', "");
      const signed = signXml(plain, id, KEY);
      expect(foreignVerify(signed, KEY), id).toBe(content(signed));
      expect(foreignVerify(signed.replace("alice", "mallory"), KEY), id).toBeUndefined();
    }
  });

  it("gives signatures that verify whatever the content and the line ends", () => {
    fc.assert(
      fc.property(anyXml, fc.boolean(), (xml, whole) => {
        const inner = xml.replace(/^<\?xml .*?\?>/, "").replace(/<([^\s<>/!?]+)/, '<$1 Id="x-1"');
        if (parseXml(inner).attributes.find((a) => a.value === "x-1") === undefined) return;
        const document = whole ? inner : `<w xmlns:p="urn:w">${inner}\r\n</w>`;
        if (whole && isEmpty(parseXml(inner))) return;
        const signed = signXml(document, "x-1", KEY);
        expect(parseXml(open(signed).content).attributes).toContainEqual({
          local: "Id",
          namespace: "",
          value: "x-1",
        });
        expect(() => open(signed.replace("x-1", "x-2"))).toThrow();
      }),
      { numRuns: 200 },
    );
  });

  it("says why a document cannot be signed", () => {
    const signed = signXml(DOCUMENT, "xmldoc", KEY);
    expect(errorCode(() => signXml(signed, "xmldoc", KEY))).toBe("usage/XML_CANNOT_SIGN");
    expect(errorCode(() => signXml('<a><b><c Id="x"/></b></a>', "x", KEY))).toBe("usage/XML_CANNOT_SIGN");
    expect(errorCode(() => signXml('<a Id="x"/>', "x", KEY))).toBe("usage/XML_CANNOT_SIGN");
    expect(errorCode(() => signXml("<a Id='x y'></a>", "x y", KEY))).toBe("usage/XML_CANNOT_SIGN");
    expect(errorCode(() => signXml(DOCUMENT, "other", KEY))).toBe("verification/XML_SIGNATURE_REFERENCE");
    expect(errorCode(() => signXml('<a Id="x"><b Id="x"></b></a>', "x", KEY))).toBe(
      "verification/XML_SIGNATURE_REFERENCE",
    );
    expect(errorCode(() => signXml(DOCUMENT, "xmldoc", { id: "k", key: new Uint8Array(15) }))).toBe(
      "usage/WRONG_LENGTH",
    );
  });
});

describe("verifyXml accepts a document signed by xml-crypto:", () => {
  const plain = DOCUMENT.replace(/<!--.*-->\n/g, "").replace(' xml:lang="en"', "");
  const key: NamedKey = { id: "InK-1", key: KEY.key };
  const openForeign = (xml: string) =>
    verifyXml(xml, (name) => (name === undefined || name === "InK-1" ? key : undefined));

  it.each<[string, string, ForeignOptions]>([
    ["the child", "xmldoc", {}],
    [
      "the child, with comments",
      "xmldoc",
      { transforms: [C14N_WITH_COMMENTS], canonicalization: C14N_WITH_COMMENTS },
    ],
    ["the child, with enveloped-signature to no effect", "xmldoc", { transforms: [ENVELOPED, C14N] }],
    ["the child, exclusive", "xmldoc", { transforms: [EXCLUSIVE_C14N], canonicalization: EXCLUSIVE_C14N }],
    [
      "the child, exclusive with prefixes",
      "xmldoc",
      { transforms: [EXCLUSIVE_C14N], inclusivePrefixes: ["x"] },
    ],
    ["the child, another prefix", "xmldoc", { prefix: "sig" }],
    ["the child, no KeyInfo", "xmldoc", { keyName: false }],
    ["the wrapper", "whole", { transforms: [ENVELOPED, C14N] }],
    ["the wrapper, with comments", "whole", { transforms: [ENVELOPED, C14N_WITH_COMMENTS] }],
    ["the document", "whole", { transforms: [ENVELOPED, C14N], emptyUri: true }],
  ])("%s", (_, id, options) => {
    const signed = foreignSign(plain, id, key, options);
    const verified = openForeign(signed);
    const root = parseXml(verified.content);
    expect(root.local).toBe(id === "whole" ? "SignedKmsRequest" : "KmsRequest");
    expect(root.children.map((c) => c.local)).toEqual(id === "whole" ? ["KmsRequest"] : ["UserUri", "e"]);
    expect(verified.keyId).toBe("InK-1");
    for (const [what, by] of [
      ["alice", "mallory"],
      [/(SignatureValue>)(.)/, (all: string) => `${all.slice(0, -1)}${all.endsWith("A") ? "B" : "A"}`],
      [/(DigestValue>)(.)/, (all: string) => `${all.slice(0, -1)}${all.endsWith("A") ? "B" : "A"}`],
    ] as [string | RegExp, string][]) {
      const altered = signed.replace(what, by);
      expect(altered).not.toBe(signed);
      expect(errorCode(() => openForeign(altered))).toMatch(/^verification\/XML_SIGNATURE_(DIGEST|VALUE)$/);
    }
  });
});
