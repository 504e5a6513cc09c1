/**
 * KmsDomainList of a KMS certificate (TS 33.180 D.3.2): the identities that the KMS is the KMS of. An entry is a domain,
 * alone or as a URI (`example.org`, `sip:example.org`), one identity (`sip:gms@example.org`), or the beginning of
 * telephone numbers (`tel:+45`). A domain does not include its subdomains.
 */
export function servesIdentity(entries: readonly string[], uri: string): boolean {
  return entries.some((entry) => covers(entry, uri));
}

function covers(entry: string, uri: string): boolean {
  if (entry.includes("@")) return entry === uri;
  if (entry.startsWith("tel:")) return entry.length > "tel:".length && uri.startsWith(entry);
  const domain = domainOf(entry);
  return domain !== undefined && domainOf(uri) === domain;
}

/** `sip:a@Example.org;x=1`, `https://example.org/a` and `example.org` have one domain. */
function domainOf(uri: string): string | undefined {
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/)?/.exec(uri)?.[0] ?? "";
  const rest = uri.slice(scheme.length);
  const name = rest
    .slice(rest.lastIndexOf("@") + 1)
    .split(/[/?#;:]/, 1)[0]!
    .toLowerCase();
  return name.includes(".") ? name : undefined;
}
