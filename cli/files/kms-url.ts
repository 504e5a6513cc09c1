/** Request URLs of a KMS (TS 33.180 D.2.1), for the ClientReqUrl of documents that were made without a request. */
export function requestUrl(kmsUri: string, request: "init" | "keyprov" | "certcache"): string {
  const withoutScheme = kmsUri.replace(/^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/)?/, "");
  const [host] = withoutScheme.slice(withoutScheme.lastIndexOf("@") + 1).split(/[/?#]/, 1);
  return `https://${host}/keymanagement/identity/v1/${request}`;
}
