/**
 * An issuer of access tokens inside the KMS, for trying it out: whoever reaches it gets any identity. `createKms`
 * takes it on loopback only.
 */
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from "jose";
import type { TokenConfig } from "./config.ts";
import { kmsConfigSchema } from "./config.ts";
import { createTokenVerifier, type TokenVerifier } from "./tokens.ts";

const ALGORITHM = "ES256";
const ISSUER = "urn:mikey-sakke:development";
const SCOPES = [
  "3gpp:mc:ptt_key_management_service",
  "3gpp:mc:video_key_management_service",
  "3gpp:mc:data_key_management_service",
];

export interface DevelopmentTokenOptions {
  /** Identity of the user, for all three services. Absent: the token is a server's own. */
  readonly userUri?: string;
  /** `client_id`, of a server's token. */
  readonly clientId?: string;
  readonly scopes?: readonly string[];
  /** Seconds; an hour when absent. */
  readonly lifetime?: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

export class DevelopmentIssuer {
  readonly #privateJwk: JWK;
  readonly #kmsUri: string;

  private constructor(privateJwk: JWK, kmsUri: string) {
    this.#privateJwk = privateJwk;
    this.#kmsUri = kmsUri;
  }

  /** Takes a key that `exportPrivateJwk` gave, or makes one. Tokens are for the KMS of that URI. */
  static async create(kmsUri: string, privateJwk?: JWK): Promise<DevelopmentIssuer> {
    if (privateJwk !== undefined) return new DevelopmentIssuer(privateJwk, kmsUri);
    const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
    return new DevelopmentIssuer(await exportJWK(privateKey), kmsUri);
  }

  exportPrivateJwk(): JWK {
    return { ...this.#privateJwk };
  }

  /** What a server must be told to accept these tokens. */
  tokenConfig(): TokenConfig {
    const { d: _, ...publicJwk } = this.#privateJwk;
    const tokens = {
      issuer: ISSUER,
      audience: this.#kmsUri,
      jwks: { keys: [{ ...publicJwk }] },
      algorithms: [ALGORITHM as "ES256"],
    };
    return kmsConfigSchema.parse({ kmsUri: this.#kmsUri, tokens }).tokens!;
  }

  verifier(): TokenVerifier {
    return createTokenVerifier(this.tokenConfig());
  }

  async token({
    userUri,
    clientId,
    scopes = SCOPES,
    lifetime = 3600,
    now,
  }: DevelopmentTokenOptions): Promise<string> {
    const at = Math.floor(now / 1000);
    const claims = {
      ...(userUri !== undefined && { mcptt_id: userUri, mcvideo_id: userUri, mcdata_id: userUri }),
      scope: scopes.join(" "),
      ...(clientId !== undefined && { client_id: clientId }),
    };
    return new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, typ: "at+jwt" })
      .setIssuer(ISSUER)
      .setAudience(this.#kmsUri)
      .setSubject(userUri ?? clientId ?? "server")
      .setIssuedAt(at)
      .setExpirationTime(at + lifetime)
      .sign(await importJWK(this.#privateJwk, ALGORITHM));
  }
}
