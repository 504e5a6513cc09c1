/** The messages to and from a GMS process (children/gms.ts). */
import type { GmsConfigInput } from "../../../roles/gms/common/config.ts";
import type { DevelopmentIssuer } from "../../../roles/server/development-tokens.ts";
import type { DatabaseOptions } from "../../../store/index.ts";

export interface GmsJob {
  readonly database: DatabaseOptions;
  readonly workers: number;
  readonly instance: string;
  readonly issuerJwk: ReturnType<DevelopmentIssuer["exportPrivateJwk"]>;
  readonly config: Partial<GmsConfigInput>;
  /** The data folder in which commands find the process. */
  readonly dataDir?: string;
}

/** Each is answered with `done` when it has been followed; `sealed` and `acknowledged` wait until that is so. */
export type Order =
  | { readonly op: "create"; readonly members: number; readonly first?: number; readonly group?: string }
  | { readonly op: "remove"; readonly uris: readonly string[] }
  | { readonly op: "rekey"; readonly group?: string }
  | { readonly op: "sealed"; readonly group?: string }
  | { readonly op: "acknowledged"; readonly rekey: number; readonly count: number }
  | { readonly op: "newest" };

export type Said =
  | { readonly what: "listening"; readonly tcp: number; readonly udp: number }
  | { readonly what: "sealed"; readonly count: number }
  | { readonly what: "done"; readonly value: number }
  | { readonly what: "failed"; readonly error: string };
