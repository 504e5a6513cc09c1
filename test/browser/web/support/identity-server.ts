/** A real OpenID provider as identity management server (TS 33.180 annex B), at which pages sign in. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Provider, { type RefreshToken } from "oidc-provider";
import { DEFAULT_SCOPES } from "../../../../web/client/config.ts";
import type { PlaySignIn } from "../../../../web/play/servers.ts";

const CLIENT_ID = "push-to-talk";
const AUDIENCE = "mission-critical";
/** Lifetime of access tokens of pages, in seconds. */
export const LIFETIME = 20;
const SERVER_LIFETIME = 3600;
/** Servers of `npm run play`, which get tokens of their own. */
const SERVERS = ["sip:gms@gms.localhost", "sip:mcx@mcx.localhost"] as const;
const SECRET = "a secret of the servers";
/** A server's own token is without a user's identity. At the GMS the MCX server is who it is by the client_id under the second one. */
const SERVER_SCOPES = ["3gpp:mc:ptt_key_management_service", "3gpp:mc:data_group_management_service"];
const GMS_SCOPES = {
  "3gpp:mc:ptt_group_management_service": ["mcptt_id"],
  "3gpp:mc:data_group_management_service": ["client_id"],
};

export interface IdentityServer {
  readonly issuer: string;
  /** Paths of requests that came from pages, with the method. */
  readonly asked: string[];
  readonly signIn: PlaySignIn;
  /** Ends the session of whoever got the newest refresh token. */
  revoke(): Promise<void>;
  /** The pages as one client: their addresses are known only when they are there. */
  register(...pages: string[]): Promise<void>;
  close(): Promise<void>;
}

/** `identityOf`: the MC service ID of whoever logs in under a name. */
export async function openIdentityServer(identityOf: (login: string) => string): Promise<IdentityServer> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: SERVERS.map((uri) => ({
      client_id: uri,
      client_secret: SECRET,
      token_endpoint_auth_method: "client_secret_post",
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
    })),
    scopes: ["openid", "offline_access"],
    claims: { openid: ["sub", "mcptt_id"] },
    conformIdTokenClaims: false,
    findAccount: (_: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, mcptt_id: identityOf(id) }),
    }),
    clientBasedCORS: () => true,
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      registration: { enabled: true, idFactory: () => CLIENT_ID },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => `urn:${AUDIENCE}`,
        useGrantedResource: () => true,
        getResourceServerInfo: (_: unknown, _resource: string, { clientId }: { clientId: string }) => ({
          scope: [...DEFAULT_SCOPES, ...SERVER_SCOPES].join(" "),
          audience: AUDIENCE,
          accessTokenFormat: "jwt",
          accessTokenTTL: clientId === CLIENT_ID ? LIFETIME : SERVER_LIFETIME,
        }),
      },
    },
    extraTokenClaims: (_: unknown, { accountId }: { accountId?: string }) =>
      accountId && { mcptt_id: identityOf(accountId) },
  });
  let newest: RefreshToken | undefined;
  provider.on("refresh_token.saved", (token) => {
    newest = token;
  });
  const asked: string[] = [];
  const answer = provider.callback();
  server.on("request", (request, response) => {
    asked.push(`${request.method} ${request.url!.split("?")[0]}`);
    answer(request, response);
  });

  const folder = await mkdtemp(join(tmpdir(), "mikey-sakke-identity-"));
  async function tokenFileOf(uri: string): Promise<string> {
    const form = {
      grant_type: "client_credentials",
      client_id: uri,
      client_secret: SECRET,
      scope: SERVER_SCOPES.join(" "),
    };
    const response = await fetch(`${issuer}/token`, { method: "POST", body: new URLSearchParams(form) });
    const { access_token: token } = (await response.json()) as { access_token?: string };
    if (token === undefined) throw new Error(`no token for ${uri}: ${response.status}`);
    const file = join(folder, uri.replace(/\W+/g, "-"));
    await writeFile(file, token);
    return file;
  }
  const servers: Record<string, string> = {
    MIKEY_SAKKE_GMS_PROVISIONING_TOKEN_FILE: await tokenFileOf(SERVERS[0]),
    MIKEY_SAKKE_MCX_PROVISIONING_TOKEN_FILE: await tokenFileOf(SERVERS[1]),
    MIKEY_SAKKE_GMS_TOKENS_SCOPES: JSON.stringify(GMS_SCOPES),
  };
  for (const server of ["KMS", "GMS", "MCX"]) {
    servers[`MIKEY_SAKKE_${server}_TOKENS_ISSUER`] = issuer;
    servers[`MIKEY_SAKKE_${server}_TOKENS_AUDIENCE`] = AUDIENCE;
    servers[`MIKEY_SAKKE_${server}_TOKENS_JWKS_URI`] = `${issuer}/jwks`;
  }
  asked.length = 0;

  return {
    issuer,
    asked,
    signIn: { page: { issuer, clientId: CLIENT_ID }, servers },
    revoke: async () => newest?.destroy(),
    async register(...pages) {
      const response = await fetch(`${issuer}/reg`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          application_type: "native",
          token_endpoint_auth_method: "none",
          grant_types: ["authorization_code", "refresh_token"],
          redirect_uris: pages,
          post_logout_redirect_uris: pages,
        }),
      });
      if (!response.ok) throw new Error(await response.text());
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
