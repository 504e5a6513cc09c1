/** Documents against the schema of the KMS interface, in libxml2. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { toHex } from "../../../base/bytes.ts";
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import {
  type KmsMessage,
  type KmsRequest,
  type KmsResponse,
  type NamedKey,
  sealKmsRequest,
  sealKmsResponse,
  writeKmsCertificate,
  writeKmsKeySet,
  writeKmsRequest,
  writeKmsResponse,
} from "../../../documents/kms-xml/index.ts";
import { KmsSchema, validateKmsDocument } from "../../../documents/kms-xml/schema/validate-node.ts";
import { keyProvResponse, productionCertificate, productionKeySet } from "../kms-xml/production-documents.ts";

let schema: KmsSchema;
/** The linear memory of libxml2, which it does not show. */
let memory: WebAssembly.Memory | undefined;

beforeAll(async () => {
  const spy = vi.spyOn(WebAssembly, "instantiate");
  schema = await KmsSchema.load();
  for (const { value } of spy.mock.settledResults) {
    const { exports } = (value as WebAssembly.WebAssemblyInstantiatedSource).instance;
    memory = Object.values(exports).find((e) => e instanceof WebAssembly.Memory) ?? memory;
  }
  spy.mockRestore();
});
afterAll(() => schema.dispose());

const named = (id: string, fill: number): NamedKey => ({ id, key: new Uint8Array(32).fill(fill) });
const trk = named("trk-1", 0x11);
const ink = named("ink-1", 0x22);
const alice = productionKeySet("alice");

const request: KmsRequest = {
  id: "r1",
  userUri: "sip:alice@example.org",
  kmsUri: "kms.example.org",
  time: 1e12,
  clientId: "c",
  deviceId: "d",
  clientReqUrl: "https://kms.example.org/keymanagement/identity/v1/redirect",
  krrKmsUris: ["kms.north.example"],
  clientError: { errorCode: 1, errorMsg: "" },
  trkId: "trk-1",
  signatureId: "ink-1",
};
const certificate = {
  ...productionCertificate(),
  isSecurityGateway: false,
  id: "c1",
  certUri: "cert-1",
  issuer: "i",
  validFrom: 0,
  validTo: 1e12,
  revoked: false,
  parameterSet: 1,
  kmsDomains: ["example.org", "example.com"],
};
const keySet = {
  ...alice,
  id: "k1",
  certUri: "cert-1",
  issuer: "i",
  validFrom: 0,
  validTo: 1e12,
  revoked: true,
};
const newKeys = { transport: [named("trk-2", 3)], integrity: [named("ink-2", 4), named("ink-3", 5)] };
const messages: KmsMessage[] = [
  { type: "init", certificate },
  { type: "keyprov", keySets: [] },
  { type: "keyprov", keySets: [keySet, alice] },
  { type: "certcache", certificates: [certificate, { ...certificate, role: "External" }], cacheNum: 7 },
  { type: "certcache", certificates: [] },
  { type: "lookup", kmsUris: ["kms.example.org", "kms.north.example"] },
];
const responseOf = (message: KmsMessage): KmsResponse => ({
  ...keyProvResponse("alice"),
  kmsId: "k",
  message,
});

describe("every written KMS document is valid:", () => {
  it("requests", () => {
    const { userUri, kmsUri, clientReqUrl, time, ...rest } = request;
    fc.assert(
      fc.property(fc.subarray(Object.entries(rest)), fc.boolean(), (some, isSigned) => {
        const value = { userUri, kmsUri, clientReqUrl, time, ...Object.fromEntries(some) };
        schema.validate(isSigned ? sealKmsRequest(value, { signWith: ink }) : writeKmsRequest(value));
      }),
    );
  });

  it.each(messages)("a response with $type", async (message) => {
    const response = responseOf(message);
    schema.validate(writeKmsResponse(response));
    for (const [wrapWith, signWith] of [
      [trk, undefined],
      [undefined, ink],
      [trk, ink],
    ]) {
      const protection = defined({ wrapWith, signWith });
      schema.validate(await sealKmsResponse(response, protection));
      if (wrapWith === undefined) continue;
      schema.validate(await sealKmsResponse(responseOf({ ...message, newKeys }), protection));
    }
  });

  it("errors, certificates and key sets", async () => {
    const { message: _, ...rest } = keyProvResponse("alice");
    const refused = { ...rest, error: { errorCode: 4, errorMsg: "no" } };
    schema.validate(writeKmsResponse(refused));
    schema.validate(await sealKmsResponse(refused, { signWith: ink }));
    schema.validate(writeKmsCertificate(certificate));
    schema.validate(writeKmsKeySet(keySet));
  });
});

describe("the schema check", () => {
  const responseXml = writeKmsResponse(keyProvResponse("alice"));
  const sealed = sealKmsResponse(responseOf({ ...messages[2]!, newKeys }), { wrapWith: trk, signWith: ink });

  function refusalOf(xml: string): string {
    try {
      schema.validate(xml);
    } catch (error) {
      if (error instanceof MikeySakkeError && error.code === "XML_SCHEMA") return error.message;
      throw error;
    }
    return "valid";
  }

  it.each([
    ["line 3: Element 'User': This element is not expected", /UserUri>/g, "User>"],
    ["line 4: Element 'Time'", /<KmsUri>.*\n/, ""],
    ["line 10: Element 'UserUri'", /<KmsKeySet[^>]*>\s*<KmsUri>.*\n/, '<KmsKeySet Version="1.1.0">\n'],
    ["'Version': The value does not match", 'Version="1.0.0"', 'Version="1.0.1"'],
    ["The attribute 'Foo' is not allowed", "<KmsMessage>", '<KmsMessage Foo="x">'],
    ["Element 'KeyPeriodNo': not a valid value", ">236<", ">2 ' is not a valid value of ' 36<"],
    ["Element 'Time': not a valid value", "<Time>2025", "<Time>25"],
    ["Element 'Other': This element is not expected", "<KmsMessage>", "<Other/><KmsMessage>"],
    ["Character content", "<KmsKeySet", "text<KmsKeySet"],
    ["does not resolve", '"KeyContentType"', '"OtherType"'],
    ["Element 'UserDecryptKey': not a valid value of the atomic type 'xs:hexBinary'", ">04", ">4"],
    ["No matching global declaration", /KmsResponse/g, "KmsAnswer"],
    [
      "line 19: Element 'Foo': No matching global declaration",
      "</KmsMessage>",
      '</KmsMessage><Foo xmlns="http://www.w3.org/2000/09/xmldsig#"/>',
    ],
  ])("refuses with line and reason but no value: %s", (reason, what, by) => {
    const xml = responseXml.replace(what, by);
    expect(xml).not.toBe(responseXml);
    expect(refusalOf(xml)).toContain(reason);
  });

  it.each([
    [/<xenc:CipherData>[\s\S]*?<\/xenc:CipherData>/, ""],
    ["<xenc:CipherValue>", "<xenc:CipherValue>="],
    [/ Algorithm="[^"]*kw-aes256"/, ""],
    [/xenc:EncryptedKey/g, "xenc:Other"],
    ["<xenc:CarriedKeyName>", "<xenc:Recipient/><xenc:CarriedKeyName>"],
    [/<((?:\w+:)?)SignatureValue>/, "<$1SignatureValue>="],
    [/<(?:\w+:)?DigestValue>.*?<\/(?:\w+:)?DigestValue>/, ""],
    [/<(?:\w+:)?Signature[\s>][\s\S]*<\/(?:\w+:)?Signature>/, "<x/>"],
    ["TkIkType", "Type"],
    [/NewTransportKey/g, "NewOtherKey"],
    ['NewTransportKey xsi:type="EncKeyContentType"', 'NewTransportKey xsi:type="KeyContentType"'],
  ])("refuses a protected response with a changed %s", async (what, by) => {
    const xml = (await sealed).replace(what, by);
    expect(xml).not.toBe(await sealed);
    expect(refusalOf(xml)).toMatch(/line \d+: /);
  });

  it("never quotes a key", () => {
    const ssk = toHex(alice.ssk);
    for (const bad of [
      `${ssk}f`,
      `x${ssk}`,
      `${ssk}' is`,
      `' is not a valid value of ${ssk} '`,
      `<${`a${ssk}`}/>`,
    ]) {
      const message = refusalOf(responseXml.replace(ssk, bad));
      expect(message).toContain("UserSigningKeySSK");
      expect(message).not.toContain(ssk.slice(4, 20));
    }
  });

  it("leaves what the reader refuses away from libxml2", () => {
    const code = (call: () => void) => {
      try {
        call();
      } catch (error) {
        return (error as MikeySakkeError).code;
      }
      return "valid";
    };
    const dtd = '<!DOCTYPE KmsResponse [<!ENTITY e SYSTEM "file:///etc/passwd">]>';
    expect(code(() => schema.validate(responseXml.replace("<KmsResponse", `${dtd}<KmsResponse`)))).toBe(
      "XML_DTD",
    );
    expect(code(() => schema.validate("<KmsResponse>"))).toBe("XML_NOT_WELL_FORMED");
    expect(code(() => schema.validate(responseXml, { maxLength: 99 }))).toBe("XML_TOO_LARGE");
  });
});

it("reads octets and a byte order mark, and is made for one document", async () => {
  const xml = `\ufeff${writeKmsRequest(request)}`;
  schema.validate(xml);
  await validateKmsDocument(new TextEncoder().encode(xml));
  const refusal = expect.objectContaining({ kind: "codec", code: "XML_SCHEMA" });
  await expect(validateKmsDocument(xml.replace("<Time>", "<Time>x"))).rejects.toEqual(refusal);
});

it("keeps its memory constant over many documents, valid or not", async () => {
  const xml = await sealKmsResponse(responseOf(messages[2]!), { wrapWith: trk, signWith: ink });
  const bad = xml.replace("<xenc:CipherValue>", "<xenc:CipherValue>=");
  const round = async () => {
    // Memory that each document left behind would add up to a page by the second round.
    for (let i = 0; i < 60; i++) {
      schema.validate(xml);
      expect(() => schema.validate(bad)).toThrow();
      if (i % 20 === 0) await validateKmsDocument(xml);
    }
    return memory!.buffer.byteLength;
  };
  const before = await round();
  for (let i = 0; i < 4; i++) expect(await round()).toBe(before);
});
