import { describe, expect, it } from "vitest";
import { toBase64, toHex } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import {
  certificatesOf,
  KMS_NAMESPACE,
  type KmsKeySet,
  keySetsOf,
  readKmsDocument,
  withUid,
  writeKmsCertificate,
  writeKmsKeySet,
  writeKmsResponse,
} from "../../../documents/kms-xml/index.ts";
import {
  initResponse,
  keyProvResponse,
  productionCertificate,
  productionKeySet,
} from "./production-documents.ts";

const alice = productionKeySet("alice");
const keySetXml = writeKmsKeySet(alice);
const certificateXml = writeKmsCertificate(productionCertificate());
const responseXml = writeKmsResponse(keyProvResponse("alice"));

function keySet(xml: string): KmsKeySet {
  return keySetsOf(readKmsDocument(xml))[0]!;
}

/** Replaces once and insists that there was something to replace. */
function edit(xml: string, what: string | RegExp, by: string): string {
  const out = xml.replace(what, () => by);
  expect(out).not.toBe(xml);
  return out;
}

function errorOf(xml: string | Uint8Array): MikeySakkeError {
  try {
    readKmsDocument(xml);
  } catch (error) {
    if (error instanceof MikeySakkeError) return error;
    throw error;
  }
  throw new Error("accepted");
}

describe("a KMS document in a form found in the field is read:", () => {
  it("keys with xsi:type, without it, and with another prefix", () => {
    const without = keySetXml.replaceAll(' xsi:type="KeyContentType"', "");
    const prefixed = keySetXml
      .replaceAll('xsi:type="KeyContentType"', 'i:type="se:KeyContentType"')
      .replace("xmlns:xsi=", `xmlns:se="${KMS_NAMESPACE}" xmlns:i=`);
    expect(without).not.toContain("type=");
    for (const xml of [keySetXml, without, prefixed]) expect(keySet(xml)).toEqual(alice);
  });

  it("hexBinary in upper case and broken into lines", () => {
    const hex = toHex(alice.pvt)
      .toUpperCase()
      .replace(/(.{40})/g, "$1\n\t  ");
    expect(keySet(edit(keySetXml, toHex(alice.pvt), `\n ${hex} `)).pvt).toEqual(alice.pvt);
  });

  it("an SSK with leading zero octets, but nothing else beyond 32 octets", () => {
    const ssk = toHex(alice.ssk);
    expect(keySet(edit(keySetXml, ssk, `0000${ssk}`)).ssk).toEqual(alice.ssk);
    expect(errorOf(edit(keySetXml, ssk, `0100${ssk}`))).toMatchObject({ code: "KMS_XML_VALUE" });
    expect(errorOf(edit(keySetXml, ssk, ssk.slice(2)))).toMatchObject({ code: "KMS_XML_VALUE" });
  });

  it("UserID as base64, as 64 hex digits, and passed over as 32 hex digits", () => {
    const base64 = toBase64(alice.uid);
    const hex = toHex(alice.uid);
    expect(keySet(edit(keySetXml, base64, hex)).uid).toEqual(alice.uid);
    expect(keySet(edit(keySetXml, base64, hex.toUpperCase())).uid).toEqual(alice.uid);
    expect(keySet(edit(keySetXml, base64, hex.slice(32))).uid).toBeUndefined();
    for (const text of [base64, hex]) {
      const broken = ` ${text.slice(0, 20)}\r\n\t${text.slice(20)}\n`;
      expect(keySet(edit(keySetXml, base64, broken)).uid).toEqual(alice.uid);
    }
    expect(errorOf(edit(keySetXml, base64, "alice")).message).toContain("/KmsKeySet/UserID");
  });

  it.each([
    ["2014-02-23T08:39:14", "2014-02-23T08:39:14.000Z"],
    ["2014-02-23T08:39:14Z", "2014-02-23T08:39:14.000Z"],
    ["2014-02-23T08:39:14.25+01:30", "2014-02-23T07:09:14.250Z"],
    ["2014-12-31T24:00:00", "2015-01-01T00:00:00.000Z"],
    ["0099-02-28T00:00:00-14:00", "0099-02-28T14:00:00.000Z"],
  ])("dateTime %s is %s", (text, iso) => {
    const xml = edit(keySetXml, "<KeyPeriodNo>", `<ValidFrom> ${text} </ValidFrom><KeyPeriodNo>`);
    expect(keySet(xml).validFrom).toBe(Date.parse(iso));
  });

  it("a UserUri without scheme, kept character by character", () => {
    expect(keySet(edit(keySetXml, "sip:alice@streamwide.com", "Alice@Example.ORG")).userUri).toBe(
      "Alice@Example.ORG",
    );
  });

  it.each(["TOBEDEFINED", "http://example.org/kms"])("the namespace %s", (namespace) => {
    expect(keySet(edit(keySetXml, KMS_NAMESPACE, namespace))).toEqual(alice);
  });

  it("no namespace, prefixed elements, a prefixed root with children in no namespace", () => {
    const bare = edit(keySetXml, ` xmlns="${KMS_NAMESPACE}"`, "");
    expect(keySet(bare)).toEqual(alice);
    const prefixed = bare
      .replaceAll(/<(\/?)(?=[A-Z])/g, "<$1k:")
      .replace("xmlns:xsi", 'xmlns:k="urn:k" xmlns:xsi');
    expect(keySet(prefixed)).toEqual(alice);
    const root = bare
      .replace("<KmsKeySet", '<k:KmsKeySet xmlns:k="urn:k"')
      .replace("</KmsKeySet", "</k:KmsKeySet");
    expect(keySet(root)).toEqual(alice);
  });

  it("children in another order, comments, CDATA, processing instructions, a byte order mark", () => {
    const moved = edit(keySetXml, /( *<KeyPeriodNo>.*\n)/, "").replace(
      "  <KmsUri>",
      "  <?x y?><!-- < --><KeyPeriodNo><![CDATA[236]]></KeyPeriodNo>\n  <KmsUri>",
    );
    expect(keySet(`\ufeff${moved}`)).toEqual(alice);
    expect(keySetsOf(readKmsDocument(new TextEncoder().encode(`\ufeff${moved}`)))).toEqual([alice]);
  });

  it("the older type of a KeyProv with new transport keys, which are passed over", () => {
    const xml = edit(
      responseXml,
      '<KmsKeyProv Version="1.0.0">',
      '<KmsKeyProv Version="1.1.0" xsi:type="se:KmsKeyProvTkType" xmlns:se="TOBEDEFINED"><NewTransportKey/>',
    );
    expect(keySet(xml)).toEqual(alice);
  });

  it("extensions in another namespace do not stand for elements of the schema", () => {
    const extended = edit(
      keySetXml,
      "</KmsKeySet>",
      '<x:Revoked xmlns:x="urn:x">true</x:Revoked></KmsKeySet>',
    );
    expect(keySet(extended)).toEqual(alice);
    const replaced = keySetXml
      .replaceAll("KeyPeriodNo>", "x:KeyPeriodNo>")
      .replace("xmlns:xsi", 'xmlns:x="urn:x" xmlns:xsi');
    expect(errorOf(replaced)).toMatchObject({ code: "KMS_XML_MISSING" });
  });

  it("signed wrappers, of which the content is read", () => {
    const signature =
      '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/></ds:Signature>';
    const wrap = (name: string, inner: string) =>
      `<Signed${name} xmlns="${KMS_NAMESPACE}">${inner.replace(/<\?xml.*\n/, "")}${signature}</Signed${name}>`;
    expect(certificatesOf(readKmsDocument(wrap("KmsCertificate", certificateXml)))).toEqual([
      productionCertificate(),
    ]);
    expect(keySet(wrap("KmsResponse", responseXml))).toEqual(alice);
    const init = writeKmsResponse(initResponse())
      .replace(/<KmsCertificate /, "<SignedKmsCertificate><KmsCertificate ")
      .replace("</KmsCertificate>", `</KmsCertificate>${signature}</SignedKmsCertificate>`);
    expect(certificatesOf(readKmsDocument(init))).toEqual([productionCertificate()]);
  });
});

it("a KMS document with all oddities of the sample in TS 36.579-1 5.6.2 at once is read", () => {
  const key = (name: string, octets: Uint8Array) => `<${name}>${toHex(octets)}</${name}>`;
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<SignedKmsResponse xmlns="TOBEDEFINED" xmlns:se="TOBEDEFINED" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="TOBEDEFINED x.xsd" Id="xmldoc">
  <KmsResponse Version="1.0.0"><KmsUri>kms.mydev.streamwide.com</KmsUri><UserUri>user</UserUri>
    <Time>2014-01-26T10:05:52</Time><KmsId>KMSProvider12345</KmsId><ClientReqUrl>http://k/keyprov</ClientReqUrl>
    <KmsMessage><KmsKeyProv Version="1.0.0" xsi:type="se:KmsKeyProvTkType"><KmsKeySet Version="1.1.0">
      <KmsUri>kms.mydev.streamwide.com</KmsUri><CertUri>cert1</CertUri><Issuer>x</Issuer>
      <UserUri>sip:alice@streamwide.com</UserUri><UserID>0123456789ABCDEF0123456789ABCDEF</UserID>
      <ValidFrom>2014-01-26T00:00:00</ValidFrom><KeyPeriodNo>236</KeyPeriodNo><Revoked>false</Revoked>
      ${key("UserDecryptKey", alice.rsk)}${key("UserSigningKeySSK", alice.ssk)}${key("UserPubTokenPVT", alice.pvt)}
    </KmsKeySet></KmsKeyProv></KmsMessage></KmsResponse>
  <ds:Signature/></SignedKmsResponse>`;
  const read = keySet(xml);
  expect(read).toMatchObject({ keyPeriodNo: 236, validFrom: Date.UTC(2014, 0, 26), revoked: false });
  // The UserID is no UID, so it is computed from the identity.
  expect(read.uid).toBeUndefined();
  expect(withUid(read, productionCertificate()).uid).toEqual(alice.uid);
  expect(withUid(alice, productionCertificate()).uid).toBe(alice.uid);
});

describe("a KMS document is refused, with the path of the element:", () => {
  const encrypted =
    '<xenc:EncryptedKey xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"><xenc:CipherData/></xenc:EncryptedKey>';

  it.each([
    [
      "encrypted by its type",
      / xsi:type="KeyContentType">[^<]*<\/UserDecryptKey>/,
      ` xsi:type="EncKeyContentType">${encrypted}</UserDecryptKey>`,
    ],
    [
      "encrypted without a type",
      / xsi:type="KeyContentType">[^<]*<\/UserDecryptKey>/,
      `>${encrypted}</UserDecryptKey>`,
    ],
  ])("with a key %s", (_, what, by) => {
    const error = errorOf(edit(responseXml, what, by));
    expect(error).toMatchObject({ kind: "codec", code: "KMS_KEY_ENCRYPTED" });
    expect(error.message).toContain("/KmsResponse/KmsMessage/KmsKeyProv/KmsKeySet/UserDecryptKey");
  });

  it.each([
    ["KMS_XML_ROOT", "/Html", "<Html/>"],
    ["KMS_XML_MISSING", "/KmsKeySet: UserUri", edit(keySetXml, /<UserUri>.*\n/, "")],
    [
      "KMS_XML_DUPLICATE",
      "/KmsKeySet: more than one KmsUri",
      edit(keySetXml, "<KmsUri>", "<KmsUri>x</KmsUri><KmsUri>"),
    ],
    ["KMS_XML_VALUE", "/KmsKeySet/KmsUri: empty", edit(keySetXml, /<KmsUri>.*</, "<KmsUri> <")],
    ["KMS_XML_VALUE", "/KmsKeySet/KmsUri: unexpected elements", edit(keySetXml, "<KmsUri>", "<KmsUri><b/>")],
    ["KMS_XML_VALUE", "/KmsKeySet: unexpected text", edit(keySetXml, "<KmsUri>", "text<KmsUri>")],
    ["KMS_XML_VALUE", "/KmsKeySet/KeyPeriodNo: negative", edit(keySetXml, ">236<", ">-236<")],
    ["KMS_XML_VALUE", "/KmsKeySet/KeyPeriodNo: not an integer", edit(keySetXml, ">236<", ">0xec<")],
    [
      "KMS_XML_VALUE",
      "/KmsKeySet/KeyPeriodNo: not an integer",
      edit(keySetXml, ">236<", ">9007199254740993<"),
    ],
    ["KMS_XML_VALUE", "/KmsKeySet/UserDecryptKey: expected 257 octets", edit(keySetXml, ">04", ">0404")],
    ["KMS_XML_VALUE", "/KmsKeySet/UserDecryptKey: not an uncompressed", edit(keySetXml, ">04", ">02")],
    ["KMS_XML_VALUE", "/KmsKeySet/UserDecryptKey: not an even number", edit(keySetXml, ">04", ">4")],
    [
      "KMS_XML_VALUE",
      "/KmsKeySet/UserDecryptKey: unknown xsi:type",
      edit(keySetXml, "KeyContentType", "OtherType"),
    ],
    [
      "KMS_XML_VALUE",
      "/KmsKeySet/Revoked: not true",
      edit(keySetXml, "<UserUri>", "<Revoked>TRUE</Revoked><UserUri>"),
    ],
    [
      "KMS_XML_VALUE",
      "/KmsCertificate/UserKeyOffset: must be less",
      edit(certificateXml, ">0<", ">16777215<"),
    ],
    [
      "KMS_XML_VALUE",
      "/KmsCertificate/UserKeyPeriod: must be greater",
      edit(certificateXml, ">16777215<", ">0<"),
    ],
    ["KMS_XML_VALUE", "/KmsCertificate: Role", edit(certificateXml, "Root", "root")],
    [
      "KMS_XML_VALUE",
      "/KmsCertificate: IsSecurityGateway",
      edit(certificateXml, "Role", 'IsSecurityGateway="yes" Role'),
    ],
    ["KMS_XML_MISSING", "/KmsResponse: Time", edit(responseXml, /<Time>.*\n/, "")],
    [
      "KMS_MESSAGE_UNKNOWN",
      "/KmsResponse/KmsMessage: message KmsOther",
      responseXml.replaceAll("KmsKeyProv", "KmsOther"),
    ],
    [
      "KMS_MESSAGE_UNKNOWN",
      "/KmsResponse/KmsMessage: empty",
      edit(responseXml, /<KmsMessage>[\s\S]*<\/KmsMessage>/, "<KmsMessage/>"),
    ],
    [
      "KMS_XML_DUPLICATE",
      "/KmsResponse/KmsMessage: more than one",
      edit(responseXml, "<KmsMessage>", "<KmsMessage><KmsInit/>"),
    ],
    [
      "KMS_XML_MISSING",
      "/KmsResponse/KmsMessage/KmsInit: KmsCertificate",
      edit(responseXml, /<KmsMessage>[\s\S]*<\/KmsMessage>/, "<KmsMessage><KmsInit/></KmsMessage>"),
    ],
    [
      "KMS_XML_VALUE",
      "KmsKeySet[2]/KeyPeriodNo",
      edit(
        responseXml,
        "</KmsKeySet>",
        `</KmsKeySet>${keySetXml.replace(/<\?xml.*\n/, "").replace(">236<", ">x<")}`,
      ),
    ],
  ])("%s %s", (code, text, xml) => {
    const error = errorOf(xml);
    expect(error).toMatchObject({ kind: "codec", code });
    expect(error.message).toContain(text);
  });

  it.each([
    "2014-02-30T00:00:00Z",
    "2014-13-01T00:00:00Z",
    "2014-00-01T00:00:00Z",
    "2014-01-01T24:00:01Z",
    "2014-01-01T00:60:00Z",
    "2014-01-01T00:00:60Z",
    "2014-01-01T00:00:00+14:01",
    "2014-01-01T00:00:00+01:60",
    "2014-01-01 00:00:00",
    "2014-01-01",
  ])("with the time %s", (time) => {
    const error = errorOf(edit(responseXml, /<Time>.*</, `<Time>${time}<`));
    expect(error).toMatchObject({ code: "KMS_XML_VALUE" });
    expect(error.message).toContain("/KmsResponse/Time");
  });

  it("with a value full of blanks, in linear time", () => {
    // With quadratic time this would take longer than a test may.
    const blanks = " ".repeat(400_000);
    const xml = edit(certificateXml, "<UserKeyPeriod>", `<UserKeyPeriod>1${blanks}`);
    expect(errorOf(xml).code).toBe("KMS_XML_VALUE");
  });

  it("without quoting a key", () => {
    const ssk = toHex(alice.ssk);
    for (const bad of [
      `${ssk}ff`,
      `${ssk}f`,
      ssk.slice(2),
      `${ssk} <b/>`,
      `${ssk}&x;`,
      `${ssk}<`,
      `${ssk}]]>`,
    ]) {
      const error = errorOf(edit(keySetXml, ssk, bad));
      expect(error.message).not.toContain(ssk.slice(4, 20));
      expect(String(error.cause ?? "")).not.toContain(ssk.slice(4, 20));
    }
  });

  it("a KmsError, in place of certificates or keys", () => {
    const { message: _, ...response } = keyProvResponse("alice");
    const document = readKmsDocument(
      writeKmsResponse({ ...response, error: { errorCode: 4, errorMsg: "not authorised" } }),
    );
    const refusal = expect.objectContaining({ kind: "transport", code: "KMS_REFUSED" });
    expect(() => keySetsOf(document)).toThrow(refusal);
    expect(() => certificatesOf(document)).toThrow(refusal);
  });

  it("documents of the other kind", () => {
    expect(certificatesOf(readKmsDocument(keySetXml))).toEqual([]);
    expect(certificatesOf(readKmsDocument(responseXml))).toEqual([]);
    expect(keySetsOf(readKmsDocument(certificateXml))).toEqual([]);
  });
});
