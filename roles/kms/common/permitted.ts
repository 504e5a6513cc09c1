/** Identities whose keys a token may request. */
import type { TokenFacts } from "../../server/tokens.ts";
import type { ServerIdentity } from "./config.ts";

/**
 * The identities whose keys a token may ask for. The identity of a server is nobody's claim: only the server's own
 * token gets it (5.7.1, 5.8.1), also if the issuer let a user take that name. A user who logs in by way of the server
 * has a token with its client_id (RFC 9068 2.2), so that shows the server itself only where there is no user.
 */
export function permittedIdentities(token: TokenFacts, servers: readonly ServerIdentity[]): string[] {
  const users = token.identities.filter((uri) => servers.every((server) => server.uri !== uri));
  const own = servers.filter(
    ({ clientId, scope }) =>
      (clientId === undefined || clientId === token.clientId) &&
      (scope === undefined ? clientId !== undefined && !token.ofUser : token.scopes.includes(scope)),
  );
  return [...users, ...own.map(({ uri }) => uri)];
}
