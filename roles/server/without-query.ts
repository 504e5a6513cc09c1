/**
 * The part of a URL or request target that may be told or kept. A query may have a token in it (RFC 6750 2.3), and what
 * stands before the host a password; clients that are set up wrongly send both.
 */
export function withoutQuery(url: string): string {
  return url.split(/[?#]/, 1)[0]!.replace(/^([A-Za-z][A-Za-z0-9+.-]*:\/\/)[^/]*@/, "$1");
}
