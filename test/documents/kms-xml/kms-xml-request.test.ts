import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  KMS_NAMESPACE,
  type KmsRequest,
  readKmsDocument,
  readKmsRequest,
  writeKmsRequest,
  writeKmsResponse,
} from "../../../documents/kms-xml/index.ts";
import { parseXml } from "../../../documents/xml/xml-reader.ts";
import { errorCode } from "../../support/error-code.ts";
import { initResponse } from "./production-documents.ts";

const TIME = Date.parse("2026-01-31T10:20:30Z");
const full: KmsRequest = {
  id: "r1",
  userUri: "sip:alice@example.org",
  kmsUri: "kms.example.org",
  time: TIME,
  clientId: "client-7",
  deviceId: "urn:imei:1",
  clientReqUrl: "https://kms.example.org/keymanagement/identity/v1/redirect",
  krrKmsUris: ["kms.north.example", "kms.south.example"],
  clientError: { errorCode: -3, errorMsg: "RSK & SSK" },
  trkId: "trk-1",
  signatureId: "ink-1",
};
const plain: KmsRequest = {
  userUri: full.userUri,
  kmsUri: full.kmsUri,
  time: TIME,
  clientReqUrl: "https://kms.example.org/keymanagement/identity/v1/init",
};
const plainXml = writeKmsRequest(plain);

/** The plain request with something before its end. */
const withChild = (xml: string) => plainXml.replace("</KmsRequest>", `${xml}</KmsRequest>`);

describe("a KMS request", () => {
  it("is written in the order of the schema, with its version", () => {
    const root = parseXml(writeKmsRequest(full));
    expect(root.children.map((c) => c.local).join(" ")).toBe(
      "UserUri KmsUri Time ClientId DeviceId ClientReqUrl KrrList ClientError TrkId SignatureId",
    );
    expect(root.namespace).toBe(KMS_NAMESPACE);
    expect(root.attributes).toContainEqual({ local: "Version", namespace: "", value: "1.1.0" });
  });

  it("is read back", () => {
    expect(readKmsRequest(writeKmsRequest(full))).toEqual(full);
    expect(readKmsRequest(plainXml)).toEqual(plain);
  });

  it("is read back with any optional items", () => {
    const { userUri, kmsUri, clientReqUrl, time: _, ...rest } = full;
    const optional = fc.subarray(Object.entries(rest)).map((some) => Object.fromEntries(some));
    fc.assert(
      fc.property(optional, fc.integer({ min: 0, max: 4e12 }), (some, time) => {
        const request: KmsRequest = { userUri, kmsUri, clientReqUrl, time, ...some };
        expect(readKmsRequest(writeKmsRequest(request))).toEqual(request);
      }),
    );
  });

  it.each([
    ["the order of a known client, Version 1.0.0, no namespace", ""],
    ["another namespace", ' xmlns="TOBEDEFINED"'],
  ])("is read with %s", (_, xmlns) => {
    const xml = `<?xml version="1.0" encoding="utf-8" standalone="yes"?><KmsRequest${xmlns} Id="xmldoc" Version="1.0.0">
      <ClientId>c</ClientId><UserUri> alice </UserUri><DeviceId/><KmsUri>kms</KmsUri><ClientReqUrl>http://k/init</ClientReqUrl>
      <Time>2026-01-31T10:20:30.000</Time></KmsRequest>`;
    expect(readKmsRequest(xml)).toEqual({
      id: "xmldoc",
      userUri: "alice",
      kmsUri: "kms",
      time: TIME,
      clientId: "c",
      deviceId: "",
      clientReqUrl: "http://k/init",
    });
  });

  it("is read inside a wrapper", () => {
    const xml = `<SignedKmsRequest xmlns="${KMS_NAMESPACE}">${plainXml.replace(/<\?.*\n/, "")}<Signature/></SignedKmsRequest>`;
    expect(readKmsRequest(xml)).toEqual(plain);
  });

  it("is read without its extensions", () => {
    const xml = withChild(
      '<x:UserUri xmlns:x="urn:x">sip:mallory@example.org</x:UserUri><x:Y xmlns:x="urn:x"/>',
    );
    expect(readKmsRequest(xml)).toEqual(plain);
  });
});

describe("TrK-ID and Signature-ID", () => {
  it.each([
    ["<TrkId>t</TrkId><SignatureId>s</SignatureId>"],
    ["<TrK-ID>t</TrK-ID><Signature-ID>s</Signature-ID>"],
    ["<TrKID>t</TrKID><SignatureID>s</SignatureID>"],
    ["<Trk-Id> t </Trk-Id><signature_id>s</signature_id>"],
    ['<x:TrK-ID xmlns:x="urn:x">t</x:TrK-ID><SignatureId xmlns="urn:y">s</SignatureId>'],
    ['<x:TrkId xmlns:x="urn:x">other</x:TrkId><TrkId>t</TrkId><SignatureId>s</SignatureId>'],
  ])("are read in the form %s", (xml) => {
    expect(readKmsRequest(withChild(xml))).toEqual({ ...plain, trkId: "t", signatureId: "s" });
  });

  it("of a response are written and read back", () => {
    const response = { ...initResponse(), trkId: "t", signatureId: "s" };
    expect(readKmsDocument(writeKmsResponse(response))).toEqual({ type: "response", response });
  });

  it("are refused when there are two TrK-IDs", () => {
    const xml = withChild("<TrkId>t</TrkId><TrK-ID>u</TrK-ID>");
    expect(errorCode(() => readKmsRequest(xml))).toBe("codec/KMS_XML_DUPLICATE");
  });
});

describe("the KMS URIs of a KrrList are read", () => {
  it.each([
    [
      "names at any depth",
      "<a:R><a:List><a:KmsUri>k1</a:KmsUri></a:List><a:ProposedKmsUri>k2</a:ProposedKmsUri></a:R>",
    ],
    ["names twice", "<a:KmsUri>k1</a:KmsUri><a:KmsUri>k2</a:KmsUri><a:KmsUri>k1</a:KmsUri>"],
    [
      "what was rejected",
      "<a:RejectedKmsUri>x</a:RejectedKmsUri><a:Rejected><a:KmsUri>y</a:KmsUri></a:Rejected><a:KMS-URI>k1</a:KMS-URI><a:KmsUri>k2</a:KmsUri>",
    ],
  ])("with %s", (_, xml) => {
    const list = `<KrrList xmlns:a="urn:3gpp:ns:mcsecKMSKRR:1.0">${xml}</KrrList>`;
    expect(readKmsRequest(withChild(list)).krrKmsUris).toEqual(["k1", "k2"]);
  });
});

describe("a KMS request is refused", () => {
  it.each([
    ["KMS_XML_ROOT", writeKmsResponse(initResponse())],
    ["KMS_XML_MISSING", plainXml.replace(/<UserUri>.*\n/, "")],
    ["KMS_XML_MISSING", plainXml.replace(/<KmsUri>.*\n/, "")],
    ["KMS_XML_MISSING", plainXml.replace(/<Time>.*\n/, "")],
    ["KMS_XML_MISSING", plainXml.replace(/<ClientReqUrl>.*\n/, "")],
    ["KMS_XML_MISSING", `<SignedKmsRequest xmlns="${KMS_NAMESPACE}"/>`],
    ["KMS_XML_DUPLICATE", withChild("<UserUri>sip:mallory@example.org</UserUri>")],
    ["KMS_XML_VALUE", plainXml.replace('"1.1.0"', '"2.0.0"')],
    ["KMS_XML_VALUE", plainXml.replace(/<Time>.*</, "<Time>now<")],
    ["KMS_XML_VALUE", withChild("text")],
    ["KMS_XML_VALUE", withChild("<TrkId> </TrkId>")],
    ["KMS_XML_VALUE", withChild("<ClientError><ErrorCode>x</ErrorCode><ErrorMsg/></ClientError>")],
    ["XML_DTD", plainXml.replace("<KmsRequest", "<!DOCTYPE KmsRequest><KmsRequest")],
  ])("with %s", (code, xml) => {
    expect(xml).not.toBe(plainXml);
    expect(errorCode(() => readKmsRequest(xml))).toBe(`codec/${code}`);
  });

  it("when it exceeds the given limits", () => {
    expect(errorCode(() => readKmsRequest(plainXml, { maxLength: 100 }))).toBe("codec/XML_TOO_LARGE");
  });
});
