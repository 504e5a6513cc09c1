/** The URI of another user at the host of this one: of the same domain, or it would be refused for that. */
export function atSameHost(uri: string, user: string): string {
  return uri.replace(/^([a-z][a-z0-9+.-]*:)(?:[^@]*@)?/i, `$1${user}@`);
}
