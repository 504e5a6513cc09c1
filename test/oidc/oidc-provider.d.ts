/** The part of the package that the tests use; it has no types of its own. */
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
