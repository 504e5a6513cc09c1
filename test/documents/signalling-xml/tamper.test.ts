/** Bodies changed on their way: refused, or read as if they had not been. */
import { beforeAll, describe, expect, it } from "vitest";
import { utf8 } from "../../../base/bytes.ts";
import type { Part } from "../../../documents/group-xml/multipart.ts";
import {
  type OpenedSignalling,
  openSignalling,
  sealSignalling,
} from "../../../documents/signalling-xml/index.ts";
import { seededRandom } from "../../support/random.ts";
import {
  ALICE,
  codeOf,
  csk,
  infoPart,
  keysOf,
  LOCATION,
  locationPart,
  MALLORY,
  OTHER_CSK,
  OTHER_CSK_ID,
  SIGNED_TYPE,
  SMALL,
  textOf,
} from "./fixtures.ts";

const random = seededRandom("tamper");
const VERIFICATION = "verification/XML_";

let sealed: readonly Part[];
let info: Part;
let location: Part;
let signatures: Part;

beforeAll(async () => {
  sealed = await sealSignalling([infoPart(SMALL), locationPart()], keysOf().sending, { random });
  [info, location, signatures] = sealed as [Part, Part, Part];
});

const open = (parts: readonly Part[], keys = keysOf()) => openSignalling(parts, keys);
const code = (parts: readonly Part[], keys = keysOf()) => codeOf(() => open(parts, keys));
const meaning = ({ parts }: OpenedSignalling) =>
  parts.map(({ body, signed }) => [textOf({ body } as Part), signed]);

function change(part: Part, what: string | RegExp, by: string): Part {
  const text = textOf(part);
  const changed = text.replace(what, () => by);
  expect(changed).not.toBe(text);
  return { ...part, body: utf8(changed) };
}

/** The first signature, in the form that it would have inside a part. */
const ownSignature = () =>
  signatureOf(1).replace("<ds:Signature>", '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">');
const signatureOf = (n: number) => textOf(signatures).match(/<ds:Signature>.*?<\/ds:Signature>/g)![n]!;

describe("signalling is refused under", () => {
  it.each([
    ["another key under the same ID", keysOf(ALICE, csk(undefined, OTHER_CSK)), "SIGNATURE_VALUE"],
    ["the same key for another user", keysOf(MALLORY), "SIGNATURE_VALUE"],
    ["another user's key", keysOf(MALLORY, csk(OTHER_CSK_ID, OTHER_CSK)), "SIGNATURE_KEY"],
    ["none", keysOf(ALICE, csk(OTHER_CSK_ID, OTHER_CSK)), "SIGNATURE_KEY"],
  ])("%s", async (_, keys, expected) => {
    expect(await code(sealed, keys)).toBe(VERIFICATION + expected);
    const switches = { confidentiality: true, integrity: false };
    const encrypted = () => openSignalling([info], keys, { switches });
    expect(await codeOf(encrypted)).toBe(VERIFICATION + expected.replace("SIGNATURE", "ENCRYPTION"));
  });

  it("a client's own CSK when it speaks for another", async () => {
    const hers = keysOf(ALICE, csk(OTHER_CSK_ID, OTHER_CSK)).sending;
    const forged = await sealSignalling([infoPart(SMALL)], hers, { random });
    expect(await code(forged)).toBe(`${VERIFICATION}SIGNATURE_KEY`);
    // Nor with the name of the other's key.
    const named = forged.map((part) => change(part, /(?<=KeyName>).*?(?=<)/g, keysOf().sending!.keyName));
    expect(await code(named)).toBe(`${VERIFICATION}SIGNATURE_VALUE`);
  });

  it("another key, for a value of another message", async () => {
    const hers = keysOf(ALICE, csk(undefined, OTHER_CSK)).sending;
    const [other] = await sealSignalling([infoPart(SMALL)], hers, { random });
    const switches = { confidentiality: true, integrity: false };
    expect(await codeOf(() => openSignalling([other!], keysOf(), { switches }))).toBe(
      `${VERIFICATION}ENCRYPTION_VALUE`,
    );
  });
});

describe("signalling with parts moved about", () => {
  const forged = locationPart(LOCATION.replace("r1", "r2"));
  const cases: [string, () => Part[], string][] = [
    ["the signatures left out", () => [info, location], "SIGNATURE_MISSING"],
    ["a signed part left out", () => [info, signatures], "SIGNATURE_REFERENCE"],
    ["a part more, unsigned", () => [...sealed, forged], "SIGNATURE_MISSING"],
    ["a part more, in front", () => [forged, ...sealed], "SIGNATURE_MISSING"],
    [
      "a part in place of the signed one",
      () => [info, { ...forged, contentId: location.contentId! }, signatures],
      "SIGNATURE_DIGEST",
    ],
    [
      "a second part with the Content-ID of the signed one",
      () => [info, { ...forged, contentId: location.contentId! }, location, signatures],
      "SIGNATURE_REFERENCE",
    ],
    [
      "the same after it",
      () => [...sealed, { ...forged, contentId: location.contentId! }],
      "SIGNATURE_REFERENCE",
    ],
    ["the signed part twice", () => [info, location, { ...location }, signatures], "SIGNATURE_REFERENCE"],
    [
      "the signed part under another Content-ID",
      () => [
        info,
        { ...location, contentId: "other@x" },
        { ...forged, contentId: location.contentId! },
        signatures,
      ],
      "SIGNATURE_DIGEST",
    ],
    [
      "Content-IDs exchanged",
      () => [
        { ...info, contentId: location.contentId! },
        { ...location, contentId: info.contentId! },
        signatures,
      ],
      "SIGNATURE_DIGEST",
    ],
    ["two parts with signatures", () => [...sealed, signatures], "SIGNATURE_MALFORMED"],
    [
      "one signature each in two parts",
      () => [info, location, change(signatures, signatureOf(0), ""), change(signatures, signatureOf(1), "")],
      "SIGNATURE_MALFORMED",
    ],
    [
      "a signature twice",
      () => [info, location, change(signatures, "</signatures>", `${signatureOf(0)}</signatures>`)],
      "SIGNATURE_MALFORMED",
    ],
    [
      "a signature left out",
      () => [info, location, change(signatures, signatureOf(1), "")],
      "SIGNATURE_MISSING",
    ],
    [
      "no signature in the part for them",
      () => [info, location, change(signatures, /<ds:Sig.*Signature>/, "")],
      "SIGNATURE_MISSING",
    ],
    [
      "a signature deeper inside",
      () => [info, location, change(signatures, signatureOf(1), `<anyExt>${signatureOf(1)}</anyExt>`)],
      "SIGNATURE_MISSING",
    ],
    [
      "the signed document inside a signature",
      () => [
        info,
        { ...forged, contentId: location.contentId! },
        change(
          signatures,
          signatureOf(1),
          signatureOf(1).replace("</ds:KeyInfo>", `</ds:KeyInfo><ds:Object>${LOCATION}</ds:Object>`),
        ),
      ],
      "SIGNATURE_MALFORMED",
    ],
    [
      "the signed document inside another",
      () => [
        info,
        { ...location, body: utf8(LOCATION.replace("<Request", `<anyExt>${LOCATION}</anyExt><Request`)) },
        signatures,
      ],
      "SIGNATURE_DIGEST",
    ],
    [
      "an element twice",
      () => [
        change(info, "<session-type>chat</session-type>", "<session-type>chat</session-type>".repeat(2)),
        location,
        signatures,
      ],
      "SIGNATURE_DIGEST",
    ],
    [
      "another root around the signatures",
      () => [info, location, change(signatures, /mcpttSignedDoc/, "other")],
      "SIGNATURE_MALFORMED",
    ],
    [
      "two References in one signature",
      () => [
        info,
        location,
        change(
          signatures,
          /<ds:Reference.*?<\/ds:Reference>/,
          signatureOf(0)
            .match(/<ds:Reference.*<\/ds:Reference>/)![0]
            .repeat(2),
        ),
      ],
      "SIGNATURE_MALFORMED",
    ],
    [
      "a Reference to the signatures",
      () => [info, location, { ...change(signatures, info.contentId!, "s@x"), contentId: "s@x" }],
      "SIGNATURE_REFERENCE",
    ],
    [
      "the part's own signature",
      () => [info, change(location, "</location-info>", `${ownSignature()}</location-info>`), signatures],
      "SIGNATURE_DIGEST",
    ],
  ];
  it.each(cases)("is refused: %s", async (_, parts, expected) => {
    expect(await code(parts())).toBe(VERIFICATION + expected);
  });

  it("is refused although a changed type hides the signature", async () => {
    const retyped = { ...info, contentType: "text/plain" };
    expect((await open([retyped, location, signatures])).parts[0]).toMatchObject({
      signed: true,
      encrypted: true,
    });
    const hidden = { ...signatures, contentType: "text/plain" };
    expect(await code([info, location, hidden])).toBe(`${VERIFICATION}SIGNATURE_MISSING`);
  });

  it("in another order is the same message", async () => {
    const opened = await open([signatures, location, info]);
    expect(meaning(opened)).toEqual(meaning(await open([location, info, signatures])));
    expect(opened.parts.map(({ signed }) => signed)).toEqual([true, true]);
  });
});

describe("EncryptedData is refused with", () => {
  const switches = { confidentiality: true, integrity: false };
  const method = /<xenc:EncryptionMethod.*?\/?>(<\/xenc:EncryptionMethod>)/;
  const value = /<xenc:CipherValue>.*<\/xenc:CipherValue>/;
  it.each([
    [
      "AES-CBC",
      "http://www.w3.org/2009/xmlenc11#aes128-gcm",
      "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
      "ALGORITHM",
    ],
    ["no algorithm", method, "", "MALFORMED"],
    ["a CipherReference", value, '<xenc:CipherReference URI="file:///etc/passwd"/>', "MALFORMED"],
    ["no value", value, "", "MALFORMED"],
    ["an empty value", /(?<=<xenc:CipherValue>).*(?=<\/xenc:CipherValue>)/, "", "MALFORMED"],
    ["a value that is not base64", /(?<=<xenc:CipherValue>)./, "?", "MALFORMED"],
    ["a value too short", /(?<=<xenc:CipherValue>.{32}).*(?=<\/xenc:CipherValue>)/, "", "MALFORMED"],
    ["a whole element", "xmlenc#Content", "xmlenc#Element", "MALFORMED"],
    ["no name of a key", /<ds:KeyInfo.*<\/ds:KeyInfo>/, "", "MALFORMED"],
    ["two names of keys", "</ds:KeyName>", "</ds:KeyName><ds:KeyName>x</ds:KeyName>", "MALFORMED"],
    ["a key that is carried along", /<ds:KeyName>.*<\/ds:KeyName>/, "<xenc:EncryptedKey/>", "MALFORMED"],
    ["a name that is no ID", /(?<=<ds:KeyName>).*(?=<\/ds:KeyName>)/, "alice", "KEY"],
    ["a name that is not known", /(?<=<ds:KeyName>).*(?=<\/ds:KeyName>)/, "IAAAAA==", "KEY"],
    ["the type Normal", 'type="Encrypted"', 'type="Normal"', "MALFORMED"],
    ["no type", ' type="Encrypted"', "", "MALFORMED"],
    ["an unknown type", 'type="Encrypted"', 'type="Sealed"', "MALFORMED"],
    [
      "a value beside it",
      "<xenc:EncryptedData",
      "<mcpttURI>sip:b@x</mcpttURI><xenc:EncryptedData",
      "MALFORMED",
    ],
    ["text beside it", "<xenc:EncryptedData", "sip:b@x<xenc:EncryptedData", "MALFORMED"],
    ["nothing inside", /<xenc:EncryptedData.*<\/xenc:EncryptedData>/, "", "MALFORMED"],
    ["EncryptedData of another namespace", 'http://www.w3.org/2001/04/xmlenc#"', 'urn:x"', "MALFORMED"],
    [
      "a value in clear",
      /<xenc:EncryptedData.*<\/xenc:EncryptedData>/,
      "<mcpttURI>sip:b@x</mcpttURI>",
      "MALFORMED",
    ],
    [
      "a value in clear, said so",
      /type="Encrypted"><xenc:EncryptedData.*<\/xenc:EncryptedData>/,
      'type="Normal"><mcpttURI>sip:b@x</mcpttURI>',
      "MISSING",
    ],
  ])("%s", async (_, what, by, expected) => {
    const [alone] = await sealSignalling([infoPart(SMALL)], keysOf().sending, { random, switches });
    const changed = [change(alone!, what, by)];
    expect(await codeOf(() => openSignalling(changed, keysOf(), { switches }))).toBe(
      `${VERIFICATION}ENCRYPTION_${expected}`,
    );
  });
});

describe("the limits of signalling documents", () => {
  const clear = { confidentiality: false, integrity: false };
  const values = (n: number) =>
    `<i xmlns="urn:3gpp:ns:mcpttInfo:1.0">${'<a type="Normal"><mcpttURI>sip:a@x</mcpttURI></a>'.repeat(n)}</i>`;
  it.each([
    ["a document type", '<!DOCTYPE i SYSTEM "http://x/i.dtd"><i/>', "codec/XML_DTD"],
    ["an entity", "<i>&e;</i>", "codec/XML_NOT_WELL_FORMED"],
    ["too long", `<i>${" ".repeat(1 << 18)}</i>`, "codec/XML_TOO_LARGE"],
    ["too deep", "<i>".repeat(30) + "</i>".repeat(30), "codec/XML_TOO_DEEP"],
    ["too many elements", `<i>${"<a/>".repeat(10_001)}</i>`, "codec/XML_TOO_LARGE"],
    ["too many values", values(257), `${VERIFICATION}ENCRYPTION_MALFORMED`],
    ["as many values as may be", values(256), "none"],
  ])("hold for input that is %s", async (_, body, expected) => {
    const parts = [locationPart(body)];
    expect(await codeOf(() => openSignalling(parts, keysOf(), { switches: clear }))).toBe(expected);
  });

  it("hold for the signatures", async () => {
    for (const [body, expected] of [
      [`<!DOCTYPE s [<!ENTITY e "x">]><s/>`, "codec/XML_DTD"],
      [`<signatures>${signatureOf(0).repeat(100)}</signatures>`, "codec/XML_TOO_LARGE"],
    ]) {
      expect(await code([info, location, { contentType: SIGNED_TYPE, body: utf8(body!) }])).toBe(expected);
    }
  });

  it("keep thousands of namespaces around hundreds of values in linear time", async () => {
    const many = Array.from({ length: 5000 }, (_, i) => ` xmlns:n${i}="urn:n${i}"`).join("");
    const parts = [infoPart(values(256).replace("<i ", `<i${many} `))];
    const opened = await open(await sealSignalling(parts, keysOf().sending, { random }));
    expect(textOf(opened.parts[0]!).match(/sip:a@x/g)).toHaveLength(256);
  });

  it("admit a value of 100,000 characters", async () => {
    for (const filling of ["x", "x:", " ", "<!---->"]) {
      const long = filling.repeat(100_000 / filling.length);
      const body = `<i xmlns="urn:3gpp:ns:mcpttInfo:1.0"><a type="Normal"><mcpttString>${long}</mcpttString></a></i>`;
      const opened = await open(await sealSignalling([infoPart(body)], keysOf().sending, { random }));
      expect(opened.parts[0]).toMatchObject({ signed: true, encrypted: true });
    }
  });

  it("hold as the caller gives them", async () => {
    expect(await codeOf(() => openSignalling(sealed, keysOf(), { limits: { maxElements: 3 } }))).toBe(
      "codec/XML_TOO_LARGE",
    );
  });
});
