/** The servers of a page, as `config.json` beside it has it. */
export interface PageConfig {
  readonly kms: {
    /** The URL by which the KMS itself is known, as in its requests. */
    readonly url: string;
    readonly uri: string;
    /** The URL at which the page reaches it, if not there: a path of its own origin that leads to the KMS. */
    readonly via?: string;
  };
  readonly gms: { readonly uri: string /** ws: or wss: */; readonly sip: string };
  readonly mcx: {
    readonly uri: string;
    readonly sip: string;
    /** Origin of the sockets of media, for the policy of the page. */
    readonly media: string;
  };
  readonly signIn: DevelopmentSignIn | OidcSignIn;
  /** Whether who presses while another talks waits for the floor, rather than is refused. False when absent. */
  readonly queueing?: boolean;
}

export interface DevelopmentSignIn {
  /** Takes `{ "user": URI }` by POST and gives `Tokens`: the development issuer of servers on this machine. */
  readonly development: string;
  /** Header fields that a request there needs. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * An identity management server (TS 33.180 annex B) with the page as a public client: authorization code with PKCE. One access
 * token is for all three servers. The server permits the page's origin (CORS), and its endpoints are of the issuer's origin.
 */
export interface OidcSignIn {
  readonly issuer: string;
  readonly clientId: string;
  /** Default: `DEFAULT_SCOPES`. */
  readonly scopes?: readonly string[];
  /** Resource for which the tokens are meant, if the server requires it (RFC 8707). */
  readonly resource?: string;
}

/** Tokens for KMS, GMS and MCX server, and a refresh token. */
export const DEFAULT_SCOPES: readonly string[] = [
  "openid",
  "offline_access",
  "3gpp:mc:ptt_key_management_service",
  "3gpp:mc:ptt_group_management_service",
  "3gpp:mc:ptt_service",
];

export function isOidc(signIn: PageConfig["signIn"]): signIn is OidcSignIn {
  return "issuer" in signIn;
}

/** Access tokens by server. */
export interface Tokens {
  readonly kms: string;
  readonly gms: string;
  readonly mcx: string;
  /** Seconds that they are good for. */
  readonly lifetime: number;
}
