/**
 * A person's session at an identity management server: OpenID Connect, authorization code with PKCE. Only where the page's
 * configuration names such a server is this loaded. The refresh token is in the person's storage, sealed, until they sign out.
 */
import { fromUtf8, utf8 } from "../../../base/bytes.ts";
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { systemRandom } from "../../../base/random.ts";
import {
  discover,
  finishLogin,
  type LoginRequest,
  loginRequest,
  logoutUrl,
  type OidcClient,
  type OidcServer,
  type OidcTokens,
  refreshTokens,
  revokeToken,
} from "../../../roles/identity/oidc.ts";
import type { SecretStorage } from "../../../roles/identity/storage.ts";
import { DEFAULT_SCOPES, type OidcSignIn } from "../config.ts";
import { openStorage } from "./storage.ts";

/** Part of their lifetime after which tokens are replaced. */
const SHARE = 0.8;
/** Seconds, where the server does not say. */
const DEFAULT_LIFETIME = 300;
const RECORD = "sign-in/refresh-token";
/** Claim of the ID token with the person's identity (TS 33.180 B.2.1). */
const IDENTITY = "mcptt_id";

const get = (url: string, init?: RequestInit) => fetch(url, init);

/** Returns where the person goes to sign in, and what is kept until they are back at `page`. */
export async function beginLogin(signIn: OidcSignIn, page: string): Promise<LoginRequest> {
  return loginRequest(await discover(signIn.issuer, get), clientOf(signIn, page), systemRandom);
}

function clientOf({ clientId, scopes = DEFAULT_SCOPES, resource }: OidcSignIn, page: string): OidcClient {
  return { clientId, redirectUri: page, scopes, ...defined({ resource }) };
}

export interface OidcSessionOptions {
  readonly signIn: OidcSignIn;
  /** Address of the page, to which the server sends the person back. */
  readonly page: string;
  /** The server takes the refresh token no more, or there is none: only the person can go on. */
  readonly onEnd: () => void;
}

export class OidcSession {
  readonly user: string;
  readonly #options: OidcSessionOptions;
  readonly #storage: SecretStorage;
  #server: Promise<OidcServer> | undefined;
  #tokens: Pick<OidcTokens, "accessToken"> | undefined;
  /** On the clock of `performance`. */
  #until = 0;
  #refreshing: Promise<string> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(user: string, storage: SecretStorage, options: OidcSessionOptions) {
    this.user = user;
    this.#storage = storage;
    this.#options = options;
  }

  /** With what the person brought back. Errors are those of `finishLogin`, and `OIDC_FAILED` for a person without identity. */
  static async begin(
    options: OidcSessionOptions,
    request: LoginRequest,
    answer: string,
  ): Promise<OidcSession> {
    const { signIn, page } = options;
    const server = await discover(signIn.issuer, get);
    const back = new URLSearchParams(answer);
    const tokens = await finishLogin(server, clientOf(signIn, page), request, back, get);
    const user = tokens.claims?.[IDENTITY];
    if (typeof user !== "string") {
      throw new MikeySakkeError("transport", "OIDC_FAILED", `login: the ID token has no ${IDENTITY}`);
    }
    const session = new OidcSession(user, await openStorage(user), options);
    session.#server = Promise.resolve(server);
    await session.#take(tokens);
    return session;
  }

  /** As it was at an earlier visit; undefined when it has ended. Where the server is not reached it is tried again when a token is needed. */
  static async resume(options: OidcSessionOptions, user: string): Promise<OidcSession | undefined> {
    const session = new OidcSession(user, await openStorage(user), options);
    try {
      await session.token();
    } catch (error) {
      if (isEnd(error)) return undefined;
    }
    return session;
  }

  /** An access token for all servers. */
  async token(): Promise<string> {
    if (this.#tokens !== undefined && performance.now() < this.#until) return this.#tokens.accessToken;
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Gives the tokens back. Where the person goes to end their session at the server as well, if it has a page for that. */
  async end(): Promise<string | undefined> {
    clearTimeout(this.#timer);
    const { signIn, page } = this.#options;
    const kept = await this.#storage.get(RECORD);
    await this.#storage.delete(RECORD);
    const server = await this.#discovered();
    if (kept !== undefined) await revokeToken(server, signIn, fromUtf8(kept), get);
    return logoutUrl(server, { clientId: signIn.clientId, redirectUri: page });
  }

  /** A refresh token may be good for one use: of all tabs of the person, one at a time. */
  #refresh(): Promise<string> {
    return navigator.locks.request(`tokens of ${this.user}`, async () => {
      const kept = await this.#storage.get(RECORD);
      try {
        if (kept === undefined)
          throw new MikeySakkeError("transport", "OIDC_ENDED", "login: no refresh token");
        return await this.#take(
          await refreshTokens(await this.#discovered(), this.#options.signIn, fromUtf8(kept), get),
        );
      } catch (error) {
        if (isEnd(error)) {
          await this.#storage.delete(RECORD);
          this.#options.onEnd();
        }
        throw error;
      }
    });
  }

  async #take({ accessToken, refreshToken, expiresIn = DEFAULT_LIFETIME }: OidcTokens): Promise<string> {
    if (refreshToken !== undefined) await this.#storage.put(RECORD, utf8(refreshToken));
    this.#tokens = { accessToken };
    const left = SHARE * expiresIn * 1000;
    this.#until = performance.now() + left;
    clearTimeout(this.#timer);
    // Not only when one is needed: a refresh token that is not used for long may end. A failure shows when one is needed.
    this.#timer = setTimeout(() => void this.token().catch(() => undefined), left);
    return accessToken;
  }

  #discovered(): Promise<OidcServer> {
    const found = this.#server ?? discover(this.#options.signIn.issuer, get);
    this.#server = found;
    found.catch(() => {
      this.#server = undefined;
    });
    return found;
  }
}

function isEnd(error: unknown): boolean {
  return error instanceof MikeySakkeError && error.code === "OIDC_ENDED";
}
