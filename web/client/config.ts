/** What a page must be told of its servers, as `config.json` beside it has it. */
export interface PageConfig {
  readonly kms: {
    /** What the KMS itself is known by, as in its requests. */
    readonly url: string;
    readonly uri: string;
    /** Where the page reaches it, if not there: a path of its own origin that leads to the KMS. */
    readonly via?: string;
  };
  readonly gms: { readonly uri: string /** ws: or wss: */; readonly sip: string };
  readonly mcx: {
    readonly uri: string;
    readonly sip: string;
    /** Origin of the sockets of media, for the policy of the page. */
    readonly media: string;
  };
  readonly signIn: {
    /** Takes `{ "user": URI }` by POST and gives `Tokens`: the development issuer of servers on this machine. */
    readonly development: string;
  };
}

/** Access tokens by server. */
export interface Tokens {
  readonly kms: string;
  readonly gms: string;
  readonly mcx: string;
  /** Seconds that they are good for. */
  readonly lifetime: number;
}
