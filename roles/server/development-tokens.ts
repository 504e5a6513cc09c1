/**
 * An issuer of access tokens inside the servers, for trying them out: whoever reaches it gets any identity. Servers
 * take it on loopback only.
 */
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from "jose";
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { type TokenConfig, type TokenScopes, tokenConfigSchema } from "./token-config.ts";
import { createTokenVerifier, type TokenVerifier } from "./tokens.ts";

const ALGORITHM = "ES256";
const ISSUER = "urn:mikey-sakke:development";

/** The warning that every server gives, and the command too, as long as development tokens are accepted. */
export const DEVELOPMENT_TOKENS_WARNING =
  "Anyone who has the key of these tokens, such as anyone who can read the data folder, can act as any user. " +
  "For trying out, on this machine only.";

/** A server that takes the tokens. */
export interface TokenAudience {
  /** Its URI, for `aud`. */
  readonly uri: string;
  readonly scopes: TokenScopes;
}

export interface DevelopmentTokenOptions {
  /** Identity of the user, for all three services. Absent: the token is a server's own. */
  readonly userUri?: string;
  /** `client_id`, of a server's token. */
  readonly clientId?: string;
  /** URIs of servers; all that the issuer knows when absent. */
  readonly audience?: readonly string[];
  /** All those of the servers when absent. */
  readonly scopes?: readonly string[];
  /** Seconds; an hour when absent. */
  readonly lifetime?: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

export class DevelopmentIssuer {
  readonly #privateJwk: JWK;
  readonly #audiences: readonly TokenAudience[];

  private constructor(privateJwk: JWK, audiences: readonly TokenAudience[]) {
    this.#privateJwk = privateJwk;
    this.#audiences = audiences;
  }

  /** Takes a key that `exportPrivateJwk` gave, or makes one. Tokens are for these servers. */
  static async create(audiences: readonly TokenAudience[], privateJwk?: JWK): Promise<DevelopmentIssuer> {
    if (privateJwk !== undefined) return new DevelopmentIssuer(privateJwk, audiences);
    const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
    return new DevelopmentIssuer(await exportJWK(privateKey), audiences);
  }

  exportPrivateJwk(): JWK {
    return { ...this.#privateJwk };
  }

  /**
   * Returns what the server of that URI must be told to accept these tokens.
   *
   * @throws {MikeySakkeError} usage `NO_AUDIENCE` for a server that the issuer does not know
   */
  tokenConfig(audience: string): TokenConfig {
    const server = this.#audiences.find(({ uri }) => uri === audience);
    if (server === undefined) {
      throw new MikeySakkeError("usage", "NO_AUDIENCE", `development tokens are not for ${audience}`);
    }
    const { d: _, ...publicJwk } = this.#privateJwk;
    return tokenConfigSchema(server.scopes).parse({
      issuer: ISSUER,
      audience,
      jwks: { keys: [{ ...publicJwk }] },
      algorithms: [ALGORITHM],
    });
  }

  verifier(audience: string): TokenVerifier {
    return createTokenVerifier(this.tokenConfig(audience));
  }

  async token(options: DevelopmentTokenOptions): Promise<string> {
    const { userUri, clientId, lifetime = 3600, now } = options;
    const audience = options.audience ?? this.#audiences.map(({ uri }) => uri);
    const scopes = options.scopes ?? this.#audiences.flatMap((server) => Object.keys(server.scopes));
    const at = Math.floor(now / 1000);
    const claims = {
      ...(userUri !== undefined && { mcptt_id: userUri, mcvideo_id: userUri, mcdata_id: userUri }),
      scope: scopes.join(" "),
      ...defined({ client_id: clientId }),
    };
    return new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, typ: "at+jwt" })
      .setIssuer(ISSUER)
      .setAudience([...audience])
      .setSubject(userUri ?? clientId ?? "server")
      .setIssuedAt(at)
      .setExpirationTime(at + lifetime)
      .sign(await importJWK(this.#privateJwk, ALGORITHM));
  }
}
