/** Signed requests and responses: what is read is what was signed. The signature itself: test/documents/xml-signature. */
import { createHash, createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { toBase64, toHex } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import {
  type KmsKeys,
  type KmsRequest,
  type NamedKey,
  openKmsRequest,
  openKmsResponse,
  readKmsRequest,
  sealKmsRequest,
  sealKmsResponse,
  writeKmsRequest,
} from "../../../documents/kms-xml/index.ts";
import { parseXml } from "../../../documents/xml/xml-reader.ts";
import { signXml } from "../../../documents/xml-signature/index.ts";
import { errorCode } from "../../support/error-code.ts";
import { keyProvResponse, productionKeySet } from "./production-documents.ts";

const named = (id: string, fill: number): NamedKey => ({ id, key: new Uint8Array(32).fill(fill) });
const trk = named("trk-1", 0x11);
const ink = named("ink-1", 0x22);

/** The keys of one client; the InK is what signs where a document names none. */
const keys: KmsKeys = {
  transportKey: (id) => (id === trk.id ? trk : undefined),
  signatureKey: (id) => (id === undefined ? ink : [ink, trk].find((key) => key.id === id)),
};

const request: KmsRequest = {
  userUri: "sip:alice@example.org",
  kmsUri: "kms.example.org",
  time: Date.parse("2026-01-31T10:20:30Z"),
  clientReqUrl: "https://kms.example.org/keymanagement/identity/v1/keyprov",
  trkId: trk.id,
};
const signedXml = sealKmsRequest(request, { signWith: ink });

const swap = (xml: string, what: string | RegExp, by: string) => {
  const out = xml.replace(what, by);
  expect(out).not.toBe(xml);
  return out;
};
const unsigned = (xml: string) => xml.replace(/<(\w+:)?Signature[\s>][\s\S]*<\/(\w+:)?Signature>/, "");

describe("a signed KMS request", () => {
  it("is opened with the key that it names", () => {
    const opened = openKmsRequest(signedXml, keys);
    expect(opened.request).toEqual({ ...request, id: "xmldoc", signatureId: "ink-1" });
    expect(opened.signedWith).toBe("ink-1");
    expect(signedXml).toContain(toBase64(opened.signatureValue!));
    expect(opened.signatureValue).toHaveLength(32);
  });

  it("has the form that D.2.2 and D.1 require", () => {
    const root = parseXml(signedXml);
    expect(root.children.map((c) => c.local)).toEqual(["KmsRequest", "Signature"]);
    expect(root.local).toBe("SignedKmsRequest");
    expect(signedXml).toContain('URI="#xmldoc"');
    expect(signedXml).toContain("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256");
  });

  it("may be signed with the TrK, and have an id of its own", () => {
    const opened = openKmsRequest(sealKmsRequest({ ...request, id: "r-7" }, { signWith: trk }), keys);
    expect(opened).toMatchObject({ signedWith: "trk-1", request: { id: "r-7", signatureId: "trk-1" } });
  });

  it("is read without keys, and then nothing counts as signed", () => {
    expect(openKmsRequest(signedXml)).toEqual({ request: readKmsRequest(signedXml) });
  });

  it("is opened by its SignatureId where KeyInfo is missing or names no key", () => {
    const without = swap(signedXml, /<(\w+:)?KeyInfo>[\s\S]*<\/(\w+:)?KeyInfo>/, "");
    expect(openKmsRequest(without, keys).signedWith).toBe("ink-1");
    const other = swap(signedXml, /KeyName>ink-1</, "KeyName>the InK of Alice<");
    expect(openKmsRequest(other, keys).signedWith).toBe("ink-1");
  });

  it("is opened with the key for documents that name none", () => {
    const xml = unsigned(signedXml).replace(/<SignatureId>.*<\/SignatureId>/, "");
    const bare = signXml(xml, "xmldoc", ink).replace(/<(\w+:)?KeyInfo>[\s\S]*<\/(\w+:)?KeyInfo>/, "");
    expect(openKmsRequest(bare, keys).signedWith).toBe("ink-1");
  });

  it("may be signed as a whole, as a known client does", () => {
    const inner = unsigned(signedXml)
      .replace(/<\?.*\?>\s*/, "")
      .trim();
    const opened = openKmsRequest(signedWrapper(inner, ink.key), keys);
    expect(opened).toMatchObject({ signedWith: "ink-1", request: { userUri: request.userUri } });
  });
});

/** Enveloped signature over the wrapper, made with Node's own hashes over text that is canonical as it stands. */
function signedWrapper(inner: string, key: Uint8Array): string {
  const xmlns = 'xmlns="http://www.w3.org/2000/09/xmldsig#"';
  const digest = createHash("sha256").update(inner).digest("base64");
  const info = `<SignedInfo ${xmlns}><CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"></CanonicalizationMethod><SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"></SignatureMethod><Reference URI=""><Transforms><Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></Transform><Transform Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"></Transform></Transforms><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></DigestMethod><DigestValue>${digest}</DigestValue></Reference></SignedInfo>`;
  const value = createHmac("sha256", key).update(info).digest("base64");
  const signature = `<Signature ${xmlns}>${info}<SignatureValue>${value}</SignatureValue></Signature>`;
  return inner.replace("</SignedKmsRequest>", `${signature}</SignedKmsRequest>`);
}

describe("a signed KMS request is refused for", () => {
  it.each([
    ["another user", "sip:alice@", "sip:mallory@"],
    ["another KMS", "<KmsUri>kms.", "<KmsUri>kns."],
    ["another time", "10:20:30Z", "10:20:31Z"],
    ["another URL", "/keyprov<", "/init<"],
    ["another TrK-ID", "<TrkId>trk-1", "<TrkId>trk-2"],
    ["an extension", "</KmsRequest>", "<x/></KmsRequest>"],
  ])("%s", (_, what, by) => {
    expect(errorCode(() => openKmsRequest(swap(signedXml, what, by), keys))).toBe(
      "verification/XML_SIGNATURE_DIGEST",
    );
  });

  it("an unknown key, and another key of the same name", () => {
    const none: KmsKeys = { ...keys, signatureKey: () => undefined };
    expect(errorCode(() => openKmsRequest(signedXml, none))).toBe("verification/XML_SIGNATURE_KEY");
    const other: KmsKeys = { ...keys, signatureKey: () => ({ ...trk, id: "ink-1" }) };
    expect(errorCode(() => openKmsRequest(signedXml, other))).toBe("verification/XML_SIGNATURE_VALUE");
  });

  it("a SignatureId that is not of the key that signed", () => {
    const xml = unsigned(signedXml).replace("<SignatureId>ink-1", "<SignatureId>trk-1");
    const resigned = signXml(xml, "xmldoc", ink);
    expect(errorCode(() => openKmsRequest(resigned, keys))).toBe("verification/KMS_SIGNATURE_ID");
  });

  it("a signature over something else in the document", () => {
    const inner = writeKmsRequest(request).replace(/<\?.*\n/, "");
    const xml = `<SignedKmsRequest xmlns="urn:3gpp:ns:mcsecKMSInterface:1.0">${inner}<Other Id="o"/></SignedKmsRequest>`;
    expect(errorCode(() => openKmsRequest(signXml(xml, "o", ink), keys))).toMatch(
      /^verification\/XML_SIGNATURE_REFERENCE$/,
    );
  });

  it("a second request beside the one that was signed", () => {
    const evil = `<KmsRequest Id="evil">${/<UserUri>[\s\S]*<\/ClientReqUrl>/.exec(signedXml)![0].replace("alice", "mallory")}</KmsRequest>`;
    for (const xml of [
      signedXml.replace("<KmsRequest", `${evil}<KmsRequest`),
      signedXml.replace("</KmsRequest>", `</KmsRequest>${evil}`),
    ]) {
      const opened = attempt(() => openKmsRequest(xml, keys).request.userUri);
      expect(opened).not.toContain("mallory");
    }
  });

  it("another root", () => {
    expect(errorCode(() => openKmsRequest("<a/>", keys))).toBe("codec/KMS_XML_ROOT");
    expect(errorCode(() => openKmsRequest("<SignedKmsRequest/>", keys))).toBe("codec/KMS_XML_ROOT");
  });
});

/** The result, or the code of the refusal. */
function attempt(call: () => string): string {
  try {
    return call();
  } catch (error) {
    if (error instanceof MikeySakkeError) return error.code;
    throw error;
  }
}

it("an unsigned KMS request is read as such, in its wrapper too", () => {
  expect(openKmsRequest(writeKmsRequest(request), keys)).toEqual({ request });
  const wrapped = unsigned(signedXml);
  expect(wrapped).not.toContain("SignatureValue");
  expect(openKmsRequest(wrapped, keys)).toEqual({ request: readKmsRequest(signedXml) });
});

describe("a signed KMS response", () => {
  const response = keyProvResponse("alice");
  const ssk = toHex(productionKeySet("alice").ssk);

  it("opens when signed and wrapped", async () => {
    const xml = await sealKmsResponse(response, { wrapWith: trk, signWith: ink });
    expect(xml).not.toContain(ssk);
    expect(await openKmsResponse(xml, keys)).toEqual({
      response: { ...response, id: "xmldoc", trkId: "trk-1", signatureId: "ink-1" },
      signedWith: "ink-1",
      wrappedWith: "trk-1",
    });
  });

  it("opens when only signed", async () => {
    const xml = await sealKmsResponse(response, { signWith: ink });
    expect(xml).toContain(ssk);
    const opened = await openKmsResponse(new TextEncoder().encode(xml), keys);
    expect(opened).toEqual({
      response: { ...response, id: "xmldoc", signatureId: "ink-1" },
      signedWith: "ink-1",
    });
  });

  it("opens when it is an error", async () => {
    const { message: _, ...rest } = response;
    const refused = { ...rest, error: { errorCode: 5, errorMsg: "not now" } };
    const opened = await openKmsResponse(
      await sealKmsResponse(refused, { wrapWith: trk, signWith: trk }),
      keys,
    );
    expect(opened).toEqual({
      response: { ...refused, id: "xmldoc", signatureId: "trk-1" },
      signedWith: "trk-1",
    });
  });

  it("is refused when a key was exchanged under its signature", async () => {
    const xml = await sealKmsResponse(response, { wrapWith: trk, signWith: ink });
    const other = await sealKmsResponse(keyProvResponse("gms"), { wrapWith: trk });
    const value = /<xenc:CipherValue>.*</;
    const forged = swap(xml, value, value.exec(other)![0]);
    const refusal = expect.objectContaining({ kind: "verification", code: "XML_SIGNATURE_DIGEST" });
    await expect(openKmsResponse(forged, keys)).rejects.toEqual(refusal);
  });
});
