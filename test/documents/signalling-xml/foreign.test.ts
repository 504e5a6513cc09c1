/** Against node:crypto and libxml2: fixed keys of F.1.4, what we write read by them, what they write read by us. */
import { describe, expect, it } from "vitest";
import { fromHex, toHex, utf8 } from "../../../base/bytes.ts";
import { deriveXmlConfidentialityKey, deriveXmlIntegrityKey } from "../../../bindings/identity/kdf.ts";
import { DeliveredKey } from "../../../bindings/mikey/delivered-key.ts";
import { openSignalling, sealSignalling, XmlKey } from "../../../documents/signalling-xml/index.ts";
import { seededRandom } from "../../support/random.ts";
import {
  ALICE,
  CSK,
  CSK_ID,
  codeOf,
  INFO_TYPE,
  infoPart,
  keysOf,
  locationPart,
  SIGNED_TYPE,
  textOf,
} from "./fixtures.ts";
import {
  canonicalForm,
  foreignDecrypt,
  foreignEncrypt,
  foreignKey,
  foreignSign,
  foreignSignature,
} from "./foreign-peer.ts";

const KEY_NAME = Buffer.from("2ddd5bf0", "hex").toString("base64");
const CONFIDENTIALITY = foreignKey(CSK, 0x51, ALICE, CSK_ID);
const INTEGRITY = foreignKey(CSK, 0x52, ALICE, CSK_ID);

describe("the keys of TS 33.180 F.1.4", () => {
  // Worked out with HMAC-SHA-256 of node:crypto, from the octets of S.
  it.each([
    [
      "e06e65106183547342d3e8a6ce2540a8",
      "sip:alice@mc.example.org",
      0x2ddd5bf0,
      "fb4ca5472a73ec4688e27245f8ba25a6",
      "66fd060681f526e076677144f070d23f",
    ],
    [
      "e06e65106183547342d3e8a6ce2540a8",
      "sip:mallory@mc.example.org",
      0x2ddd5bf0,
      "e2638e0a866cfa9e387355083aea0d25",
      "9467a5542cda0d190e36c941f264a3fd",
    ],
    [
      "e06e65106183547342d3e8a6ce2540a8",
      "sip:alice@mc.example.org",
      0x2ddd5bf1,
      "340a666890c8a7c19bb643d6354c6d67",
      "ce7c10fc73243704fa63fef6908bf5c1",
    ],
    [
      "00112233445566778899aabbccddeeff",
      "sip:jürgen@mc.example.org",
      0x30000001,
      "9e1b84a7ef75ee460936a06319f00e5e",
      "e0f20bac7be6ecf5dc081ef0b832d8f6",
    ],
    [
      "e06e65106183547342d3e8a6ce2540a8e06e65106183547342d3e8a6ce2540a8",
      "sip:alice@mc.example.org",
      0x2ddd5bf0,
      "7fbe3545168e0fef8cce6d13f968ebe1ae347a0e0a574bc8ea97fae043ee05e1",
      "20a0a1025a1b905cfa5259fac86a24a84a2cc980e348b9c9b396750487921aaf",
    ],
  ])(
    "are those of another implementation for XPK %s, %s, %i",
    (hex, user, id, confidentiality, integrity) => {
      const xpk = fromHex(hex);
      expect(toHex(deriveXmlConfidentialityKey(xpk, user, id))).toBe(confidentiality);
      expect(toHex(deriveXmlIntegrityKey(xpk, user, id))).toBe(integrity);
      expect(foreignKey(xpk, 0x51, user, id).toString("hex")).toBe(confidentiality);
      if (xpk.length === 32) return;
      const kind = id >>> 28 === 2 ? "CSK" : "SPK";
      const key = XmlKey.derive(new DeliveredKey(xpk, { kind, keyId: id, ukId: id, rand: xpk }), user);
      expect([toHex(key.confidentiality), toHex(key.integrity)]).toEqual([confidentiality, integrity]);
    },
  );
});

describe("signalling sealed by our code", () => {
  it("is decrypted and verified by other libraries", async () => {
    const parts = [infoPart(), locationPart()];
    const [info, location, signatures] = await sealSignalling(parts, keysOf().sending, {
      random: seededRandom("foreign"),
    });
    const xmlns = 'xmlns="urn:3gpp:ns:mcpttInfo:1.0"';
    const content = (element: string) => foreignDecrypt(info!.body, element, CONFIDENTIALITY);
    expect(content("mcptt-calling-user-id")).toEqual({
      keyName: KEY_NAME,
      content: `<mcpttURI ${xmlns}>${ALICE}</mcpttURI>`,
    });
    expect(content("emergency-ind").content).toBe(`<mcpttBoolean ${xmlns}>true</mcpttBoolean>`);
    expect(content("mcptt-access-token").content).toBe(
      `<mcpttString ${xmlns}>eyJ0&amp;&lt;token&gt;</mcpttString>`,
    );
    for (const [i, part] of [info!, location!].entries()) {
      const found = foreignSignature(signatures!.body, i + 1, part.body, INTEGRITY);
      expect(found).toMatchObject({
        uri: `cid:${part.contentId}`,
        keyName: KEY_NAME,
        digest: found.rightDigest,
        value: found.rightValue,
        algorithms: [
          "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
          "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
          "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
          "http://www.w3.org/2001/04/xmlenc#sha256",
        ],
      });
    }
    // The replaced document is otherwise the one that went in.
    const back = textOf(info!).replace(/<xenc:EncryptedData .*?<\/xenc:EncryptedData>/g, "-");
    const clear = canonicalForm(textOf(infoPart())).replace(
      /<mcptt(URI|String|Boolean)>.*?<\/mcptt\1>/g,
      "-",
    );
    expect(back).toBe(clear.replaceAll('type="Normal"', 'type="Encrypted"'));
  });
});

describe("signalling sealed by other libraries", () => {
  const sealed = (content: string) => `<mcptt-Params>
    <mcptt-request-uri type="Encrypted">
      <EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#" Id="e1">
        <EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#aes128-gcm"/>
        <k:KeyInfo xmlns:k="http://www.w3.org/2000/09/xmldsig#"><k:KeyName>
          ${KEY_NAME}</k:KeyName></k:KeyInfo>
        <CipherData><CipherValue>\n${foreignEncrypt(content, CONFIDENTIALITY)}\n</CipherValue></CipherData>
      </EncryptedData>
    </mcptt-request-uri><session-type>private</session-type></mcptt-Params>`;
  const info = (content: string) =>
    `<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0" xmlns:p="urn:3gpp:ns:mcpttInfo:1.0">${sealed(content)}</mcpttinfo>`;
  const open = (body: string, transforms: boolean, contentId = "a%1@x", uri = "cid:a%251@x") => {
    const parts = [
      {
        contentType: SIGNED_TYPE,
        body: utf8(foreignSign([{ uri, part: body, transforms }], KEY_NAME, INTEGRITY)),
      },
      { contentType: INFO_TYPE, contentId, body: utf8(body) },
    ];
    return openSignalling(parts, keysOf());
  };

  it.each([
    ["with the namespace of what is around it", "<mcpttURI>sip:g@x</mcpttURI>"],
    ["with a prefix of what is around it", " <p:mcpttURI>sip:g@x</p:mcpttURI>\n"],
    ["with an attribute of what is around it", '<mcpttURI p:a="" >sip:g@x</mcpttURI >'],
    ["with a namespace of its own", '<q:mcpttURI xmlns:q="urn:3gpp:ns:mcpttInfo:1.0">sip:g@x</q:mcpttURI>'],
  ])("is verified and decrypted: a value %s", async (_, content) => {
    for (const transforms of [true, false]) {
      const { parts } = await open(info(content), transforms);
      expect(parts).toHaveLength(1);
      expect(parts[0]).toMatchObject({ contentId: "a%1@x", signed: true, encrypted: true });
      expect(textOf(parts[0]!)).toMatch(/<mcptt-request-uri type="Normal"><(.:)?mcpttURI.*>sip:g@x</);
    }
  });

  it.each([
    ["two values", "<mcpttURI>sip:g@x</mcpttURI><mcpttURI>sip:h@x</mcpttURI>"],
    ["text beside the value", "x<mcpttURI>sip:g@x</mcpttURI>"],
    ["no value", "sip:g@x"],
    ["an element that is no value", "<session-type>private</session-type>"],
    ["a value of another namespace", '<mcpttURI xmlns="urn:x">sip:g@x</mcpttURI>'],
    ["elements in the value", "<mcpttURI>sip:g@x<a/></mcpttURI>"],
    ["an empty URI", "<mcpttURI> </mcpttURI>"],
    ["a value that ends the element around it", "<mcpttURI>sip:g@x</mcpttURI></w><w>"],
    ["a document type", '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><mcpttURI>&e;</mcpttURI>'],
    ["an entity", "<mcpttURI>&e;</mcpttURI>"],
    ["EncryptedData", '<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#"/>'],
  ])("is refused with %s inside", async (_, content) => {
    expect(await codeOf(() => open(info(content), true))).toBe("verification/XML_ENCRYPTION_VALUE");
  });

  it("is refused when the URI names no part, or is no Content-ID", async () => {
    const body = info("<mcpttURI>sip:g@x</mcpttURI>");
    for (const uri of [
      "cid:a%1@x",
      "cid:b@x",
      "cid:",
      "#a",
      "",
      "https://x/a",
      "file:///etc/passwd",
      "mid:a/b",
    ]) {
      expect(await codeOf(() => open(body, true, "a%1@x", uri)), uri).toBe(
        "verification/XML_SIGNATURE_REFERENCE",
      );
    }
  });
});
