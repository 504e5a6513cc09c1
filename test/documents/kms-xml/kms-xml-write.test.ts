import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type KmsCertificate,
  type KmsKeySet,
  type KmsResponse,
  readKmsDocument,
  writeKmsCertificate,
  writeKmsKeySet,
  writeKmsResponse,
} from "../../../documents/kms-xml/index.ts";
import { parseXml } from "../../../documents/xml/xml-reader.ts";
import { element, writeXml } from "../../../documents/xml/xml-writer.ts";
import {
  initResponse,
  keyProvResponse,
  productionCertificate,
  productionKeySet,
} from "./production-documents.ts";

/** Text that a leaf keeps: XML characters without white space at its ends. */
const text = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
  .filter((s) => s.trim() === s && s !== "" && !/[^\P{C}\u200d]/u.test(s));
const time = fc.integer({ min: 0, max: Date.parse("2200-01-01") });
const point = (length: number) =>
  fc.uint8Array({ minLength: length - 1, maxLength: length - 1 }).map((xy) => Uint8Array.of(4, ...xy));
const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const optional = { requiredKeys: [] as [] };

const certificate: fc.Arbitrary<KmsCertificate> = fc
  .tuple(
    fc.record({ kmsUri: text, userIdFormat: text, pubEncKey: point(257), pubAuthKey: point(65) }),
    fc.tuple(fc.nat(), fc.nat()).filter(([period, offset]) => offset < period),
    fc.record(
      {
        role: fc.constantFrom("Root", "External"),
        isSecurityGateway: fc.boolean(),
        id: text,
        certUri: text,
        issuer: text,
        validFrom: time,
        validTo: time,
        revoked: fc.boolean(),
        parameterSet: fc.nat(255),
        kmsDomains: fc.array(text, { minLength: 1, maxLength: 3 }),
      },
      optional,
    ),
  )
  .map(
    ([a, [userKeyPeriod, userKeyOffset], b]) =>
      ({ ...a, userKeyPeriod, userKeyOffset, ...b }) as KmsCertificate,
  );

const keySet: fc.Arbitrary<KmsKeySet> = fc
  .tuple(
    fc.record({
      kmsUri: text,
      userUri: text,
      uid: octets(32),
      keyPeriodNo: fc.nat(),
      rsk: point(257),
      ssk: octets(32),
      pvt: point(65),
    }),
    fc.record(
      { id: text, certUri: text, issuer: text, validFrom: time, validTo: time, revoked: fc.boolean() },
      optional,
    ),
  )
  .map(([a, b]) => ({ ...a, ...b }));

const response: fc.Arbitrary<KmsResponse> = fc
  .tuple(
    fc.record({ userUri: text, kmsUri: text, time, clientReqUrl: text }),
    fc.record({ id: text, kmsId: text }, optional),
    fc.oneof(
      fc.constant({}),
      fc.record({ message: fc.record({ type: fc.constant("init" as const), certificate }) }),
      fc.record({
        message: fc.record({
          type: fc.constant("keyprov" as const),
          keySets: fc.array(keySet, { maxLength: 3 }),
        }),
      }),
      fc.record({
        message: fc.record(
          {
            type: fc.constant("certcache" as const),
            certificates: fc.array(certificate, { maxLength: 3 }),
            cacheNum: fc.nat(),
          },
          { requiredKeys: ["type", "certificates"] },
        ),
      }),
      fc.record({ error: fc.record({ errorCode: fc.integer(), errorMsg: fc.oneof(text, fc.constant("")) }) }),
    ),
  )
  .map(([a, b, c]) => ({ ...a, ...b, ...c }) as KmsResponse);

describe("the KMS writer's output is read back:", () => {
  it("certificates", () => {
    fc.assert(
      fc.property(certificate, (value) => {
        expect(readKmsDocument(writeKmsCertificate(value))).toEqual({
          type: "certificate",
          certificate: value,
        });
      }),
    );
  });

  it("key sets", () => {
    fc.assert(
      fc.property(keySet, (value) => {
        expect(readKmsDocument(writeKmsKeySet(value))).toEqual({ type: "keySet", keySet: value });
      }),
    );
  });

  it("responses", () => {
    fc.assert(
      fc.property(response, (value) => {
        expect(readKmsDocument(writeKmsResponse(value))).toEqual({ type: "response", response: value });
      }),
    );
  });
});

describe("the KMS writer keeps the order and names of the schema:", () => {
  const names = (xml: string, ...path: number[]) => {
    let node = parseXml(xml);
    for (const i of path) node = node.children[i]!;
    return node.children.map((c) => c.local).join(" ");
  };
  const all: KmsCertificate = {
    ...productionCertificate(),
    certUri: "cert1",
    issuer: "x",
    validFrom: 0,
    validTo: 1e12,
    revoked: false,
    parameterSet: 1,
    kmsDomains: ["example.org"],
  };

  it("KmsCertificate", () => {
    expect(names(writeKmsCertificate(all))).toBe(
      "CertUri KmsUri Issuer ValidFrom ValidTo Revoked UserIdFormat UserKeyPeriod UserKeyOffset PubEncKey PubAuthKey ParameterSet KmsDomainList",
    );
  });

  it("KmsKeySet", () => {
    const { certUri, issuer, validFrom, validTo, revoked } = all;
    const full = { ...productionKeySet("gms"), certUri, issuer, validFrom, validTo, revoked } as KmsKeySet;
    expect(names(writeKmsKeySet(full))).toBe(
      "KmsUri CertUri Issuer UserUri UserID ValidFrom ValidTo KeyPeriodNo Revoked UserDecryptKey UserSigningKeySSK UserPubTokenPVT",
    );
  });

  it("KmsResponse, all in the namespace of the schema, with the versions that it fixes", () => {
    const xml = writeKmsResponse({ ...initResponse(), kmsId: "k", id: "i" });
    expect(names(xml)).toBe("UserUri KmsUri Time KmsId ClientReqUrl KmsMessage");
    const response = parseXml(xml);
    const init = response.children[5]!.children[0]!;
    const version = (e: typeof init) => e.attributes.find((a) => a.local === "Version")?.value;
    expect([response, init, init.children[0]!].map(version)).toEqual(["1.0.0", "1.0.0", "1.1.0"]);
    expect(init.children[0]!.namespace).toBe("urn:3gpp:ns:mcsecKMSInterface:1.0");
    expect(xml).toContain("<Time>2025-10-02T23:47:52Z</Time>");
  });
});

describe("the KMS writer", () => {
  it("refuses a key set without UID", () => {
    const { uid: _, ...rest } = productionKeySet("gms");
    expect(() => writeKmsKeySet(rest)).toThrow(expect.objectContaining({ code: "KMS_XML_INCOMPLETE" }));
  });

  it("refuses a message together with an error", () => {
    const both = { ...keyProvResponse("gms"), error: { errorCode: 1, errorMsg: "" } };
    expect(() => writeKmsResponse(both)).toThrow(
      expect.objectContaining({ code: "KMS_XML_MESSAGE_AND_ERROR" }),
    );
  });

  it("refuses invalid times", () => {
    expect(() => writeKmsResponse({ ...initResponse(), time: Number.NaN })).toThrow(
      expect.objectContaining({ code: "BAD_TIME" }),
    );
  });

  it.each(["\0", "\x1b", "\ufffe", "\ud800"])("refuses text that XML cannot carry: %j", (bad) => {
    expect(() => writeXml(element("a", {}, bad))).toThrow(expect.objectContaining({ code: "BAD_XML_TEXT" }));
    expect(() => writeXml(element("a", { b: bad }, []))).toThrow(
      expect.objectContaining({ code: "BAD_XML_TEXT" }),
    );
  });

  it("escapes markup and what would be normalised", () => {
    const value = "<&>\"'\t\n\r]]>\u{1f600}";
    const root = parseXml(writeXml(element("a", { b: value }, value)));
    expect(root.text).toBe(value);
    expect(root.attributes[0]!.value).toBe(value);
  });
});
