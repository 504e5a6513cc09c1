/** Signatures of xml-crypto with a shared key; of the HMACs it has that with SHA-1 only. */
import { createHmac } from "node:crypto";
import { SignedXml } from "xml-crypto";
import { defined } from "../../../base/defined.ts";
import { C14N, HMAC_SHA256, SHA256 } from "../../../documents/xml-signature/algorithms.ts";
import type { NamedKey } from "../../../documents/xml-signature/index.ts";

export interface ForeignOptions {
  readonly transforms?: string[];
  readonly canonicalization?: string;
  readonly digest?: string;
  readonly prefix?: string;
  /** Reference "" in place of the id. */
  readonly emptyUri?: boolean;
  readonly keyName?: boolean;
  readonly inclusivePrefixes?: string[];
}

class HmacSha256 {
  getSignature = (text: unknown, key: unknown) =>
    createHmac("sha256", key as Buffer)
      .update(String(text))
      .digest("base64");
  verifySignature = (text: string, key: unknown, value: string) => this.getSignature(text, key) === value;
  getAlgorithmName = () => HMAC_SHA256;
}

function enableHmac(signature: SignedXml): void {
  signature.enableHMAC();
  signature.SignatureAlgorithms = {
    [HMAC_SHA256]: HmacSha256,
  } as unknown as SignedXml["SignatureAlgorithms"];
}

/** Signs the element with this Id; ds:Signature becomes the last child of the root. */
export function foreignSign(
  xml: string,
  id: string,
  { key, id: keyName }: NamedKey,
  options: ForeignOptions = {},
): string {
  const signer = new SignedXml({
    privateKey: Buffer.from(key),
    signatureAlgorithm: HMAC_SHA256 as never,
    canonicalizationAlgorithm: (options.canonicalization ?? C14N) as typeof C14N,
    getKeyInfoContent: () => (options.keyName === false ? null : `<ds:KeyName>${keyName}</ds:KeyName>`),
  });
  enableHmac(signer);
  signer.addReference({
    xpath: `//*[@Id='${id}']`,
    digestAlgorithm: options.digest ?? SHA256,
    transforms: options.transforms ?? [C14N],
    isEmptyUri: options.emptyUri ?? false,
    ...defined({ inclusiveNamespacesPrefixList: options.inclusivePrefixes }),
  });
  signer.computeSignature(xml, { prefix: options.prefix ?? "ds" });
  return signer.getSignedXml();
}

/** Returns what xml-crypto says was signed, or undefined when the signature does not fit. */
export function foreignVerify(xml: string, key: NamedKey): string | undefined {
  const verifier = new SignedXml({ publicCert: Buffer.from(key.key), getCertFromKeyInfo: () => null });
  enableHmac(verifier);
  const signature = /<ds:Signature [\s\S]*<\/ds:Signature>/.exec(xml);
  verifier.loadSignature(signature![0]);
  return verifier.checkSignature(xml) ? verifier.getSignedReferences()[0] : undefined;
}
