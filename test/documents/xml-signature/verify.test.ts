/** Tests what verification refuses, and that only what was signed is returned. */
import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fromUtf8, utf8 } from "../../../base/bytes.ts";
import { parseXml } from "../../../documents/xml/xml-reader.ts";
import { C14N, ENVELOPED, HMAC_SHA256, SHA256 } from "../../../documents/xml-signature/algorithms.ts";
import { canonicalize } from "../../../documents/xml-signature/canonical.ts";
import { type NamedKey, signXml, verifyXml } from "../../../documents/xml-signature/index.ts";
import { elementsOf, parseNodes } from "../../../documents/xml-signature/node-tree.ts";
import { errorCode } from "../../support/error-code.ts";

const KEY: NamedKey = { id: "InK-1", key: new Uint8Array(32).fill(7) };
const REQUEST = '<KmsRequest Id="xmldoc"><UserUri>sip:alice@example.org</UserUri></KmsRequest>';
const FORGED = '<KmsRequest Id="forged"><UserUri>sip:mallory@example.org</UserUri></KmsRequest>';
const SIGNED = signXml(`<SignedKmsRequest xmlns="urn:k">${REQUEST}</SignedKmsRequest>`, "xmldoc", KEY);
const WHOLE = signXml(
  `<SignedKmsRequest xmlns="urn:k" Id="whole">${REQUEST}</SignedKmsRequest>`,
  "whole",
  KEY,
);

const open = (xml: string | Uint8Array) => verifyXml(xml, (name) => (name === KEY.id ? KEY : undefined));
const codeOf = (xml: string) => errorCode(() => open(xml)).replace("verification/XML_SIGNATURE_", "");

function change(xml: string, what: string | RegExp, by: string): string {
  const changed = xml.replace(what, () => by);
  expect(changed).not.toBe(xml);
  return changed;
}

/** Gives an altered SignedInfo the right value, as only someone with the key can. */
function resign(xml: string): string {
  const signature = elementsOf(parseNodes(xml).root).find((e) => e.local === "Signature")!;
  const value = createHmac("sha256", KEY.key)
    .update(canonicalize(elementsOf(signature)[0]!))
    .digest("base64");
  return xml.replace(
    /<ds:SignatureValue>.*<\/ds:SignatureValue>/,
    `<ds:SignatureValue>${value}</ds:SignatureValue>`,
  );
}

const signatureOf = (xml: string) => /<ds:Signature .*<\/ds:Signature>/.exec(xml)![0];

it("verifyXml returns the canonical octets, from text and from octets", () => {
  const content = change(REQUEST, " Id", ' xmlns="urn:k" Id');
  expect(fromUtf8(open(SIGNED).content)).toBe(content);
  expect(fromUtf8(open(utf8(SIGNED)).content)).toBe(content);
  expect(fromUtf8(open(utf8(`\ufeff${SIGNED}`)).content)).toBe(content);
  expect(resign(SIGNED)).toBe(SIGNED);
});

describe("verifyXml refuses a change of", () => {
  it.each([
    ["the content", SIGNED, "alice", "mallory", "DIGEST"],
    ["an attribute of the content", SIGNED, 'Id="xmldoc">', 'Id="xmldoc" a="">', "DIGEST"],
    ["a namespace around the content", SIGNED, "urn:k", "urn:l", "VALUE"],
    ["the wrapper", WHOLE, "<KmsRequest ", `${FORGED}<KmsRequest `, "DIGEST"],
    ["the digest", SIGNED, /<ds:DigestValue>.{4}/, "<ds:DigestValue>AAAA", "VALUE"],
    ["the value", SIGNED, /<ds:SignatureValue>.{4}/, "<ds:SignatureValue>AAAA", "VALUE"],
    ["the value, cut short", SIGNED, /(?<=<ds:SignatureValue>.{4}).*(?=<\/ds:SignatureValue>)/, "", "VALUE"],
    ["the value, empty", SIGNED, /(?<=<ds:SignatureValue>).*(?=<\/ds:SignatureValue>)/, "", "VALUE"],
    ["white space in SignedInfo", SIGNED, "<ds:SignedInfo>", "<ds:SignedInfo> ", "VALUE"],
    ["the name of the key", SIGNED, "InK-1", "InK-2", "KEY"],
    ["no name of a key", SIGNED, /<ds:KeyInfo>.*<\/ds:KeyInfo>/, "", "KEY"],
  ])("%s", (_, xml, what, by, code) => {
    expect(codeOf(change(xml, what, by))).toBe(code);
  });

  it("the key", () => {
    const other = { id: KEY.id, key: new Uint8Array(32).fill(8) };
    expect(errorCode(() => verifyXml(SIGNED, () => other))).toBe("verification/XML_SIGNATURE_VALUE");
    expect(errorCode(() => verifyXml(SIGNED, () => ({ id: "", key: new Uint8Array(0) })))).toBe(
      "usage/WRONG_LENGTH",
    );
  });

  it("a digest that the key's owner made for another content", () => {
    const other = change(SIGNED, /<ds:DigestValue>.{4}/, "<ds:DigestValue>AAAA");
    expect(codeOf(resign(other))).toBe("DIGEST");
    expect(codeOf(resign(change(SIGNED, /(?<=<ds:DigestValue>).*(?=<\/ds:DigestValue>)/, "")))).toBe(
      "DIGEST",
    );
  });
});

describe("verifyXml against wrapping", () => {
  it.each([
    ["another element with the same Id", `${change(FORGED, "forged", "xmldoc")}<KmsRequest `],
    ["the same Id by another attribute", `${change(FORGED, 'Id="forged"', 'id="xmldoc"')}<KmsRequest `],
    ["the same Id with a prefix", `${change(FORGED, 'Id="forged"', 'xml:id=" xmldoc"')}<KmsRequest `],
  ])("refuses %s", (_, by) => {
    expect(codeOf(change(SIGNED, "<KmsRequest ", by))).toBe("REFERENCE");
  });

  it("refuses the signed element moved deeper", () => {
    const moved = change(SIGNED, REQUEST, `${FORGED}<Extension>${REQUEST}</Extension>`);
    expect(codeOf(moved)).toBe("REFERENCE");
    expect(codeOf(change(SIGNED, REQUEST, change(FORGED, "</", `${REQUEST}</`)))).toBe("REFERENCE");
  });

  it("refuses the signed element moved into the signature", () => {
    const object = `<ds:Object>${REQUEST}</ds:Object></ds:Signature>`;
    expect(codeOf(change(change(SIGNED, REQUEST, FORGED), "</ds:Signature>", object))).toBe("MALFORMED");
    const keyInfo = change(change(SIGNED, REQUEST, FORGED), "</ds:KeyInfo>", `${REQUEST}</ds:KeyInfo>`);
    expect(codeOf(keyInfo)).toBe("REFERENCE");
  });

  it("leaves a forged request beside the signed one out of the content", () => {
    for (const both of [`${FORGED}${REQUEST}`, `${REQUEST}${FORGED}`]) {
      expect(open(change(SIGNED, REQUEST, both)).content).toEqual(open(SIGNED).content);
    }
  });

  it("refuses the signature's own element as what is signed", () => {
    const own = change(
      change(SIGNED, "<ds:Signature ", '<ds:Signature Id="s" '),
      'URI="#xmldoc"',
      'URI="#s"',
    );
    expect(codeOf(resign(own))).toBe("REFERENCE");
  });

  it("leaves comments out of the content, so that they hide no text", () => {
    const commented = change(SIGNED, "alice@example.org", "alice@<!-- x -->example.org");
    expect(open(commented).content).toEqual(open(SIGNED).content);
    expect(parseXml(open(commented).content).children[0]!.text).toBe("sip:alice@example.org");
  });

  it("leaves a signature inside the content there", () => {
    const inner = `<KmsRequest Id="xmldoc">${signatureOf(SIGNED)}</KmsRequest>`;
    const signed = signXml(`<w xmlns="urn:k">${inner}</w>`, "xmldoc", KEY);
    expect(fromUtf8(open(signed).content)).toContain("<ds:Signature");
    expect(codeOf(`<w xmlns="urn:k">${inner}</w>`)).toBe("MISSING");
  });
});

describe("verifyXml on unusual forms", () => {
  const method = `<ds:SignatureMethod Algorithm="${HMAC_SHA256}"/>`;
  const withLength = (length: string) =>
    `${method.slice(0, -2)}><ds:HMACOutputLength>${length}</ds:HMACOutputLength></ds:SignatureMethod>`;
  const transform = (algorithm: string) => `<ds:Transform Algorithm="${algorithm}"/>`;
  const reference = /<ds:Reference .*<\/ds:Reference>/.exec(SIGNED)![0];

  it.each([
    ["HMAC of 0 bits", method, withLength("0"), "ALGORITHM"],
    ["HMAC of 128 bits", method, withLength("128"), "ALGORITHM"],
    ["HMAC of 2560 bits", method, withLength("2560"), "ALGORITHM"],
    ["HMAC with SHA-1", HMAC_SHA256, "http://www.w3.org/2000/09/xmldsig#hmac-sha1", "ALGORITHM"],
    ["RSA", HMAC_SHA256, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "ALGORITHM"],
    ["SHA-1", SHA256, "http://www.w3.org/2000/09/xmldsig#sha1", "ALGORITHM"],
    [
      "C14N 1.1",
      `Method Algorithm="${C14N}"`,
      'Method Algorithm="http://www.w3.org/2006/12/xml-c14n11"',
      "ALGORITHM",
    ],
    ["XPath", transform(C14N), transform("http://www.w3.org/TR/1999/REC-xpath-19991116"), "ALGORITHM"],
    ["XSLT", transform(C14N), transform("http://www.w3.org/TR/1999/REC-xslt-19991116"), "ALGORITHM"],
    ["base64", transform(C14N), transform("http://www.w3.org/2000/09/xmldsig#base64"), "ALGORITHM"],
    ["a transform twice", transform(C14N), transform(C14N).repeat(2), "ALGORITHM"],
    ["enveloped-signature last", transform(C14N), transform(C14N) + transform(ENVELOPED), "ALGORITHM"],
    ["a method without Algorithm", ` Algorithm="${SHA256}"`, "", "ALGORITHM"],
    [
      "a parameter of C14N",
      transform(C14N),
      `${transform(C14N).slice(0, -2)}><x/></ds:Transform>`,
      "MALFORMED",
    ],
    ["two References", reference, reference.repeat(2), "MALFORMED"],
    ["no Reference", reference, "", "MALFORMED"],
    ["no URI", ' URI="#xmldoc"', "", "REFERENCE"],
    ["an empty Id", "#xmldoc", "#", "REFERENCE"],
    ["an Id that is not there", "#xmldoc", "#other", "REFERENCE"],
    ["XPointer", "#xmldoc", "#xpointer(id('xmldoc'))", "REFERENCE"],
    ["XPointer to the document", "#xmldoc", "#xpointer(/)", "REFERENCE"],
    ["an escaped Id", "#xmldoc", "#xmld%6Fc", "REFERENCE"],
    ["another document", "#xmldoc", "https://example.org/a.xml", "REFERENCE"],
    ["a file", "#xmldoc", "file:///etc/passwd", "REFERENCE"],
    ["the document without enveloped-signature", "#xmldoc", "", "REFERENCE"],
    ["two keys", "</ds:KeyName>", "</ds:KeyName><ds:KeyName>InK-1</ds:KeyName>", "MALFORMED"],
    ["no SignatureValue", /<ds:SignatureValue>.*<\/ds:SignatureValue>/, "", "MALFORMED"],
    ["SignatureValue that is not base64", /<ds:SignatureValue>./, "<ds:SignatureValue>?", "MALFORMED"],
    ["two SignedInfo", "<ds:SignedInfo>", "<ds:SignedInfo/><ds:SignedInfo>", "MALFORMED"],
    ["SignedInfo of another namespace", / xmlns:ds="[^"]*"/, ' xmlns:ds="urn:ds"', "MISSING"],
  ])("refuses %s", (_, what, by, code) => {
    expect(codeOf(change(SIGNED, what, by))).toBe(code);
  });

  it("refuses the root without enveloped-signature", () => {
    expect(codeOf(resign(change(WHOLE, transform(ENVELOPED), "")))).toBe("REFERENCE");
  });

  it("refuses two signatures, and none", () => {
    expect(codeOf(change(SIGNED, "</SignedKmsRequest>", `${signatureOf(SIGNED)}</SignedKmsRequest>`))).toBe(
      "MALFORMED",
    );
    expect(codeOf(change(SIGNED, signatureOf(SIGNED), ""))).toBe("MISSING");
  });

  it("accepts an HMACOutputLength of all 256 bits", () => {
    expect(open(resign(change(SIGNED, method, withLength("256")))).content).toEqual(open(SIGNED).content);
  });

  it("takes a reference without transforms as C14N", () => {
    const bare = resign(change(SIGNED, /<ds:Transforms>.*<\/ds:Transforms>/, ""));
    expect(open(bare).content).toEqual(open(SIGNED).content);
  });
});

describe("verifyXml within its limits", () => {
  it.each([
    ["a document type", `<!DOCTYPE a [<!ATTLIST KmsRequest Id ID #IMPLIED>]>${SIGNED}`, "codec/XML_DTD"],
    ["half of a surrogate pair", change(SIGNED, "alice", "alice\ud800"), "codec/XML_NOT_WELL_FORMED"],
    ["too deep", change(SIGNED, REQUEST, `${"<a>".repeat(40)}${"</a>".repeat(40)}`), "codec/XML_TOO_DEEP"],
  ])("refuses %s", (_, xml, code) => {
    expect(codeOf(xml)).toBe(code);
  });

  it("obeys the caller's limits", () => {
    const limited = errorCode(() => verifyXml(SIGNED, () => KEY, { maxElements: 5 }));
    expect(limited).toBe("codec/XML_TOO_LARGE");
    expect(errorCode(() => verifyXml(SIGNED, () => KEY, { maxLength: 100 }))).toBe("codec/XML_TOO_LARGE");
  });

  it("takes linear time for thousands of namespaces and attributes", () => {
    const many = Array.from({ length: 5_000 }, (_, i) => ` xmlns:n${i}="urn:n${i}" xml:a${i}=""`).join("");
    const parts = Array.from({ length: 5_000 }, (_, i) => `<a xmlns:n${i}="urn:m"/>`).join("");
    const signed = signXml(`<w${many}><b Id="b">${parts}</b></w>`, "b", KEY);
    expect(open(signed).content.length).toBeGreaterThan(2e5);
  });
});
