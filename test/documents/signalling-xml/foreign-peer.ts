/** The other end made of other pieces: node:crypto and libxml2, nothing of this package. */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { XmlDocument, type XmlElement } from "libxml2-wasm";

const NS = {
  ds: "http://www.w3.org/2000/09/xmldsig#",
  xenc: "http://www.w3.org/2001/04/xmlenc#",
  s: "urn:3gpp:ns:mcpttSignedDoc:1.0",
};
const C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";

/** F.1.4. */
export function foreignKey(xpk: Uint8Array, fc: 0x51 | 0x52, user: string, xpkId: number): Buffer {
  const p0 = Buffer.from(user, "utf8");
  const tail = Buffer.alloc(8);
  tail.writeUInt16BE(p0.length, 0);
  tail.writeUInt32BE(xpkId, 2);
  tail.writeUInt16BE(4, 6);
  const output = createHmac("sha256", xpk)
    .update(Buffer.concat([Buffer.of(fc), p0, tail]))
    .digest();
  return xpk.length === 32 ? output : output.subarray(16);
}

export function withDocument<T>(xml: string | Uint8Array, use: (document: XmlDocument) => T): T {
  const document = XmlDocument.fromBuffer(Buffer.from(xml));
  try {
    return use(document);
  } finally {
    document.dispose();
  }
}

/** The one text that an XPath finds. */
function only(document: XmlDocument, path: string): string {
  const found = document.find(path, NS);
  if (found.length !== 1) throw new Error(`${path}: ${found.length}`);
  return (found[0] as XmlElement).content;
}

export function canonicalForm(xml: string | Uint8Array): string {
  return withDocument(xml, (document) => document.canonicalizeToString());
}

/** The clear content of the element of this name. */
export function foreignDecrypt(
  xml: Uint8Array,
  element: string,
  key: Buffer,
): { keyName: string; content: string } {
  return withDocument(xml, (document) => {
    const at = `//*[local-name()='${element}' and @type='Encrypted']/xenc:EncryptedData[@Type='${NS.xenc}Content']`;
    const algorithm = only(document, `${at}/xenc:EncryptionMethod/@Algorithm`);
    if (algorithm !== "http://www.w3.org/2009/xmlenc11#aes128-gcm") throw new Error(algorithm);
    const octets = Buffer.from(only(document, `${at}/xenc:CipherData/xenc:CipherValue`), "base64");
    const decipher = createDecipheriv("aes-128-gcm", key, octets.subarray(0, 12));
    decipher.setAuthTag(octets.subarray(-16));
    const content = Buffer.concat([decipher.update(octets.subarray(12, -16)), decipher.final()]).toString();
    return { keyName: only(document, `${at}/ds:KeyInfo/ds:KeyName`), content };
  });
}

export function foreignEncrypt(content: string, key: Buffer): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-128-gcm", key, iv);
  return Buffer.concat([iv, cipher.update(content, "utf8"), cipher.final(), cipher.getAuthTag()]).toString(
    "base64",
  );
}

/** Returns the fields of the n-th signature, and computes the digest and value that its part should have. */
export function foreignSignature(signatures: Uint8Array, n: number, part: Uint8Array, key: Buffer) {
  return withDocument(signatures, (document) => {
    const at = `/s:signatures/ds:Signature[${n}]`;
    const info = document.get(`${at}/ds:SignedInfo`, NS) as XmlElement;
    const said = (path: string) => only(document, `${at}/${path}`);
    return {
      uri: said("ds:SignedInfo/ds:Reference/@URI"),
      algorithms: document.find(`${at}//@Algorithm`, NS).map((a) => (a as XmlElement).content),
      keyName: said("ds:KeyInfo/ds:KeyName"),
      digest: said("ds:SignedInfo/ds:Reference/ds:DigestValue"),
      value: said("ds:SignatureValue"),
      rightDigest: createHash("sha256").update(canonicalForm(part)).digest("base64"),
      rightValue: createHmac("sha256", key).update(info.canonicalizeToString()).digest("base64"),
    };
  });
}

export interface SignedForeign {
  readonly uri: string;
  readonly part: string;
  /** Whether the reference has transforms; without any the octets are digested as they are. */
  readonly transforms?: boolean;
}

/** Signatures in another layout than ours: ds: is the default namespace, lines are broken. */
export function foreignSign(parts: readonly SignedForeign[], keyName: string, key: Buffer): string {
  const signatureOf = ({ uri, part, transforms = true }: SignedForeign) => {
    const content = transforms ? canonicalForm(part) : part;
    const digest = createHash("sha256").update(content).digest("base64");
    return `
  <Signature xmlns="${NS.ds}">
    <SignedInfo>
      <CanonicalizationMethod Algorithm="${C14N}"/>
      <SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"/>
      <Reference URI="${uri}">${transforms ? `\n        <Transforms><Transform Algorithm="${C14N}"/></Transforms>` : ""}
        <DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
        <DigestValue>\n${digest}\n</DigestValue>
      </Reference>
    </SignedInfo>
    <SignatureValue>VALUE</SignatureValue>
    <KeyInfo><KeyName> ${keyName}
    </KeyName></KeyInfo>
  </Signature>`;
  };
  let document = `<s:signatures xmlns:s="${NS.s}" xmlns:unused="urn:unused">${parts.map(signatureOf).join("")}\n</s:signatures>`;
  for (let n = 1; n <= parts.length; n++) {
    const info = withDocument(document, (d) =>
      (d.get(`/s:signatures/ds:Signature[${n}]/ds:SignedInfo`, NS) as XmlElement).canonicalizeToString(),
    );
    const value = createHmac("sha256", key).update(info).digest("base64");
    document = document.replace(">VALUE<", `>\n      ${value.slice(0, 20)}\n      ${value.slice(20)}<`);
  }
  return document;
}
