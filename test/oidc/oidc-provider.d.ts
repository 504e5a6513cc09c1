/** What the tests use of it; the package has no types. */
declare module "oidc-provider" {
  import type { RequestListener } from "node:http";

  export interface RefreshToken {
    destroy(): Promise<void>;
  }

  export default class Provider {
    constructor(issuer: string, configuration: object);
    callback(): RequestListener;
    on(event: "refresh_token.saved", listener: (token: RefreshToken) => void): void;
    readonly proxy: boolean;
  }
}
