/** Keys under a TrK: every form that is known, wrapped by Node's own cipher. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fromBase64, toHex } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import {
  type KmsKeys,
  type KmsResponse,
  keySetsOf,
  type NamedKey,
  openKmsResponse,
  readKmsDocument,
  sealKmsResponse,
  type WrapForm,
  writeKmsResponse,
} from "../../../documents/kms-xml/index.ts";
import { parseXml, type XmlElement } from "../../../documents/xml/xml-reader.ts";
import { initResponse, keyProvResponse, productionKeySet } from "./production-documents.ts";

const named = (id: string, fill: number): NamedKey => ({ id, key: new Uint8Array(32).fill(fill) });
const trk = named("trk-1", 0x11);
const newTrk = named("trk-2", 0x22);
const newInk = named("ink-2", 0x33);
const alice = productionKeySet("alice");
const response = keyProvResponse("alice");

/** A client that has these TrKs, and no key to verify with. */
function holding(...trks: NamedKey[]): KmsKeys {
  return {
    transportKey: (id) => trks.find((key) => key.id === id),
    signatureKey: () => undefined,
  };
}

const IV = { "id-aes256-wrap": "a6a6a6a6a6a6a6a6", "id-aes256-wrap-pad": "a65959a6" };

function nodeWrap(key: Uint8Array, form: keyof typeof IV): Buffer {
  const cipher = createCipheriv(form, trk.key, Buffer.from(IV[form], "hex"));
  return Buffer.concat([cipher.update(key), cipher.final()]);
}

function nodeUnwrap(wrapped: Uint8Array, form: keyof typeof IV): Uint8Array {
  const decipher = createDecipheriv(form, trk.key, Buffer.from(IV[form], "hex"));
  return new Uint8Array(Buffer.concat([decipher.update(wrapped), decipher.final()]));
}

/** The response with its keys in another form: the rest of the start tag, and content. */
function replaced(content: (key: Uint8Array) => string): string {
  let xml = writeKmsResponse(response);
  for (const key of [alice.rsk, alice.ssk, alice.pvt]) {
    xml = xml.replace(` xsi:type="KeyContentType">${toHex(key)}<`, () => `${content(key)}<`);
  }
  expect(xml).not.toContain('KeyContentType">0');
  return xml;
}

async function errorOf(xml: string, keys?: KmsKeys): Promise<MikeySakkeError> {
  const error = await openKmsResponse(xml, keys).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(MikeySakkeError);
  return error as MikeySakkeError;
}

function find(node: XmlElement, local: string): XmlElement[] {
  return [...(node.local === local ? [node] : []), ...node.children.flatMap((c) => find(c, local))];
}

describe("wrapped KMS keys are sealed and opened:", () => {
  it.each<[string, WrapForm | undefined, (keyof typeof IV)[], number[]]>([
    ["by length", undefined, ["id-aes256-wrap-pad", "id-aes256-wrap", "id-aes256-wrap-pad"], [257, 32, 65]],
    [
      "all by RFC 5649",
      "rfc5649",
      ["id-aes256-wrap-pad", "id-aes256-wrap-pad", "id-aes256-wrap-pad"],
      [257, 32, 65],
    ],
    ["all by RFC 3394", "rfc3394", ["id-aes256-wrap", "id-aes256-wrap", "id-aes256-wrap"], [256, 32, 64]],
  ])("%s", async (_, form, forms, lengths) => {
    const xml = await sealKmsResponse(response, { wrapWith: trk, ...(form && { wrapForm: form }) });
    for (const key of [alice.rsk, alice.ssk, alice.pvt]) expect(xml).not.toContain(toHex(key.subarray(1)));
    const values = find(parseXml(xml), "CipherValue").map((node) => fromBase64(node.text));
    const keys = values.map((value, i) => nodeUnwrap(value, forms[i]!));
    expect(keys.map((key) => key.length)).toEqual(lengths);
    expect(keys).toEqual([alice.rsk, alice.ssk, alice.pvt].map((key, i) => key.slice(-lengths[i]!)));

    const opened = await openKmsResponse(xml, holding(trk));
    expect(opened).toEqual({ response: { ...response, trkId: "trk-1" }, wrappedWith: "trk-1" });
  });

  it("new keys, beside key sets, a certificate, KMS URIs and a cache", async () => {
    const newKeys = { transport: [newTrk], integrity: [newInk, named("ink-3", 0x44)] };
    const init = initResponse().message as { type: "init" };
    for (const message of [
      { ...response.message, newKeys },
      { ...init, newKeys },
      { type: "lookup", kmsUris: ["kms.north.example", "kms.south.example"], newKeys },
      { type: "certcache", certificates: [], newKeys },
    ] as KmsResponse["message"][]) {
      const sent: KmsResponse = { ...response, message: message! };
      const xml = await sealKmsResponse(sent, { wrapWith: trk });
      const name = find(parseXml(xml), "KmsMessage")[0]!.children[0]!.local;
      expect(xml).toContain(`<${name} xsi:type="${name}TkIkType" Version="1.0.0"`);
      expect(find(parseXml(xml), "CarriedKeyName").map((n) => n.text)).toEqual(["trk-2", "ink-2", "ink-3"]);
      for (const { key } of [newTrk, newInk]) expect(xml).not.toContain(toHex(key));
      const opened = await openKmsResponse(xml, holding(trk));
      expect(opened).toEqual({ response: { ...sent, trkId: "trk-1" }, wrappedWith: "trk-1" });
    }
  });

  it("a lookup in clear", async () => {
    const sent: KmsResponse = { ...response, message: { type: "lookup", kmsUris: ["kms.north.example"] } };
    const xml = await sealKmsResponse(sent, { wrapWith: trk });
    expect(xml).toBe(writeKmsResponse(sent));
    expect(readKmsDocument(xml)).toEqual({ type: "response", response: sent });
  });

  it("several key sets", async () => {
    const sent: KmsResponse = {
      ...response,
      message: { type: "keyprov", keySets: [alice, productionKeySet("gms"), { ...alice, keyPeriodNo: 237 }] },
    };
    const opened = await openKmsResponse(await sealKmsResponse(sent, { wrapWith: trk }), holding(trk));
    expect(opened.response.message).toEqual(sent.message);
  });
});

describe("a form of wrapped keys found in the field is read:", () => {
  const padded = (key: Uint8Array) => nodeWrap(key, "id-aes256-wrap-pad");
  /** A multiple of 8 octets, by leaving 04 out. */
  const unpadded = (key: Uint8Array) => nodeWrap(key.subarray(key.length % 8), "id-aes256-wrap");
  const encryptedKey = (
    cipherValue: string,
    keyInfo = "<d:KeyInfo><d:KeyName>trk-1</d:KeyName></d:KeyInfo>",
  ) =>
    `><x:EncryptedKey xmlns:x="http://www.w3.org/2001/04/xmlenc#" xmlns:d="http://www.w3.org/2000/09/xmldsig#">
       <x:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#kw-aes256"/>${keyInfo}
       <x:CipherData><x:CipherValue>${cipherValue}</x:CipherValue></x:CipherData></x:EncryptedKey>`;
  const base64 = (key: Uint8Array) => encryptedKey(padded(key).toString("base64"));
  const otherName = "<d:KeyInfo><d:KeyName>TrK of Alice</d:KeyName></d:KeyInfo>";

  it.each<[string, (key: Uint8Array) => string]>([
    [
      "RFC 5649 for all, hexadecimal, EncryptedData by its Type",
      (
        key,
      ) => `><e:EncryptedData xmlns:e="http://www.w3.org/2001/04/xmlenc#" Type="http://www.w3.org/2001/04/xmlenc#EncryptedKey">
        <e:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#kw-aes256"/><e:CipherData>
        <e:CipherValue>${padded(key).toString("hex")}</e:CipherValue></e:CipherData></e:EncryptedData>`,
    ],
    ["RFC 3394 without 04, base64", (key) => encryptedKey(unpadded(key).toString("base64"))],
    ["RFC 3394, upper-case digits", (key) => encryptedKey(unpadded(key).toString("hex").toUpperCase())],
    [
      "base64 in lines",
      (key) =>
        encryptedKey(
          padded(key)
            .toString("base64")
            .replace(/(.{64})/g, "$1\r\n  "),
        ),
    ],
    ["xsi:type", (key) => ` xsi:type="EncKeyContentType"${base64(key)}`],
    [
      "the name of key wrap with padding",
      (key) => base64(key).replace("2001/04/xmlenc#kw-aes256", "2009/xmlenc11#kw-aes-256-pad"),
    ],
    ["no method", (key) => base64(key).replace(/<x:EncryptionMethod.*\/>/, "")],
    ["no KeyInfo", (key) => encryptedKey(padded(key).toString("base64"), "")],
    ["a KeyName that is not known", (key) => encryptedKey(padded(key).toString("base64"), otherName)],
    [
      "no namespaces",
      (key) =>
        base64(key)
          .replace(/ xmlns:.="[^"]*"/g, "")
          .replace(/(<\/?)[xd]:/g, "$1"),
    ],
  ])("%s", async (_, content) => {
    const xml = replaced(content).replace("</KmsMessage>", "</KmsMessage><TrK-ID>trk-1</TrK-ID>");
    const opened = await openKmsResponse(xml, holding(trk));
    expect(opened.wrappedWith).toBe("trk-1");
    expect(keySetsOf({ type: "response", response: opened.response })).toEqual([alice]);
  });

  it("for an SSK with leading zero octets", async () => {
    const ssk = Uint8Array.of(0, 0, ...alice.ssk);
    const xml = (await sealKmsResponse(response, { wrapWith: trk })).replace(
      nodeWrap(alice.ssk, "id-aes256-wrap").toString("base64"),
      nodeWrap(ssk, "id-aes256-wrap-pad").toString("base64"),
    );
    const opened = await openKmsResponse(xml, holding(trk));
    expect(keySetsOf({ type: "response", response: opened.response })).toEqual([alice]);
  });

  it("for keys in clear, which do not count as wrapped", async () => {
    const opened = await openKmsResponse(writeKmsResponse(response), holding(trk));
    expect(opened).toEqual({ response });
    expect(await openKmsResponse(writeKmsResponse(response))).toEqual({ response });
  });

  it("for a PVT in clear, which is public, but not an RSK", async () => {
    const sealed = await sealKmsResponse(response, { wrapWith: trk });
    const clear = (name: string, key: Uint8Array) =>
      sealed.replace(new RegExp(`<${name}[\\s\\S]*?</${name}>`), `<${name}>${toHex(key)}</${name}>`);
    const pvt = await openKmsResponse(clear("UserPubTokenPVT", alice.pvt), holding(trk));
    expect(pvt.wrappedWith).toBe("trk-1");
    const rsk = await openKmsResponse(clear("UserDecryptKey", alice.rsk), holding(trk));
    expect(rsk).toEqual({ response: { ...response, trkId: "trk-1" } });
  });
});

describe("a KMS response with wrapped keys is refused", () => {
  const sealed = sealKmsResponse(response, { wrapWith: trk });

  it("by a reader without keys", async () => {
    expect(await errorOf(await sealed)).toMatchObject({ kind: "codec", code: "KMS_KEY_ENCRYPTED" });
  });

  it("when the TrK is missing", async () => {
    const error = await errorOf(await sealed, holding(newTrk));
    expect(error).toMatchObject({ kind: "crypto", code: "KMS_TRK_UNKNOWN" });
    expect(error.message).toContain("UserDecryptKey");
    expect(error.message).toContain("trk-1");
  });

  it("when another TrK of the same name was used", async () => {
    const error = await errorOf(await sealed, holding({ ...newTrk, id: "trk-1" }));
    expect(error).toMatchObject({ kind: "crypto", code: "KEY_UNWRAP" });
    expect(error.message).toContain("KmsKeySet/UserDecryptKey");
  });

  it("when a key stands in the place of another", async () => {
    const [rsk, ssk] = find(parseXml(await sealed), "CipherValue").map((node) => node.text);
    expect(await errorOf((await sealed).replace(rsk!, ssk!), holding(trk))).toMatchObject({
      code: "KMS_XML_VALUE",
    });
  });

  it.each([
    ["KMS_KEY_ALGORITHM", "#kw-aes256", "#aes256-cbc"],
    ["KMS_XML_MISSING", /<xenc:CipherValue>.*\n/, ""],
    ["KMS_XML_MISSING", /<xenc:CipherData>[\s\S]*?<\/xenc:CipherData>/, ""],
    ["KMS_XML_VALUE", /<xenc:CipherValue>/, "<xenc:CipherValue>!"],
    ["KMS_XML_VALUE", /<xenc:CipherValue>.*</, "<xenc:CipherValue> <"],
    ["KMS_XML_DUPLICATE", "<xenc:CipherData>", "<xenc:CipherData/><xenc:CipherData>"],
    ["KMS_XML_DUPLICATE", "<xenc:EncryptedKey>", "<xenc:EncryptedKey/><xenc:EncryptedKey>"],
    ["KMS_XML_VALUE", "<ds:KeyName>trk-1<", "<ds:KeyName>trk-9<"],
    ["KEY_UNWRAP", /<xenc:CipherValue>..../, "<xenc:CipherValue>AAAA"],
  ])("with %s for %s", async (code, what, by) => {
    const xml = (await sealed).replace(what, by);
    expect(xml).not.toBe(await sealed);
    const keys = holding(trk, { ...trk, id: "trk-9" });
    expect((await errorOf(xml, keys)).code).toBe(code);
  });

  it("when a new key is in clear, whatever else is protected", async () => {
    const clear = `<NewTransportKey xsi:type="KeyContentType">${toHex(newTrk.key)}</NewTransportKey></KmsKeyProv>`;
    const xml = (await sealed).replace("</KmsKeyProv>", clear);
    for (const keys of [holding(trk), undefined]) {
      const opened = await errorOf(
        keys ? xml : writeKmsResponse(response).replace("</KmsKeyProv>", clear),
        keys,
      );
      expect(opened).toMatchObject({ kind: "codec", code: "KMS_NEW_KEY_IN_CLEAR" });
      expect(opened.message).not.toContain("2222");
    }
  });

  it("when a new key has no name, another length, or a twin", async () => {
    const message = {
      ...response.message!,
      newKeys: { transport: [newTrk, named("trk-3", 5)], integrity: [] },
    };
    const xml = await sealKmsResponse({ ...response, message }, { wrapWith: trk });
    const short = nodeWrap(newTrk.key.subarray(0, 16), "id-aes256-wrap").toString("base64");
    const [, , , wrapped] = find(parseXml(xml), "CipherValue").map((node) => node.text);
    for (const [code, what, by] of [
      ["KMS_XML_MISSING", /<xenc:CarriedKeyName>trk-2.*\n/, ""],
      ["KMS_XML_DUPLICATE", ">trk-3<", ">trk-2<"],
      ["KMS_XML_VALUE", wrapped!, short],
    ] as const) {
      const bad = xml.replace(what, by);
      expect(bad).not.toBe(xml);
      expect((await errorOf(bad, holding(trk))).code).toBe(code);
    }
  });

  it("by the writer, when new keys would be in clear", async () => {
    const message = { ...response.message!, newKeys: { transport: [], integrity: [newInk] } };
    const refusal = expect.objectContaining({ kind: "usage", code: "KMS_NEW_KEY_IN_CLEAR" });
    await expect(sealKmsResponse({ ...response, message })).rejects.toEqual(refusal);
    expect(() => writeKmsResponse({ ...response, message })).toThrow(refusal);
  });
});

it("the reader of unprotected KMS documents passes over new keys", async () => {
  const message = { ...initResponse().message!, newKeys: { transport: [newTrk], integrity: [newInk] } };
  const xml = await sealKmsResponse({ ...initResponse(), message }, { wrapWith: trk });
  expect(readKmsDocument(xml)).toEqual({
    type: "response",
    response: { ...initResponse(), trkId: "trk-1" },
  });
});
