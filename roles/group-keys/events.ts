/** The events that a group client reports to its host. */
import type { GroupKey } from "./group-key.ts";
import type { GroupKeyChange } from "./group-key-ring.ts";
import type { TakenMessage } from "./take-message.ts";

export type Carrier = "sip" | "http";

export type GroupClientEvent =
  /** This server of the GMS sends NOTIFYs. */
  | { readonly type: "subscribed"; readonly server: string }
  /** It stops, does not answer, or cannot be reached; others come first for a while. */
  | {
      readonly type: "server-lost";
      readonly server: string;
      readonly cause: string;
      readonly status: number | undefined;
      /** When it may be tried again itself, in milliseconds since the Unix epoch. */
      readonly retryAt: number;
    }
  /** `retryAt`: when it is tried again, in milliseconds since the Unix epoch; undefined: not before `refresh`. */
  | {
      readonly type: "subscription-lost";
      readonly server: string;
      readonly cause: string;
      readonly status: number | undefined;
      readonly retryAt: number | undefined;
    }
  /** A message and what came of it. */
  | { readonly type: "message"; readonly carrier: Carrier; readonly taken: TakenMessage }
  /** The ring has changed. */
  | ({ readonly type: "key" } & { readonly change: GroupKeyChange["type"]; readonly key: GroupKey })
  /** A key has become active or has expired. */
  | { readonly type: "key-state"; readonly key: GroupKey }
  /** The user is, or is no longer, a member of a group. */
  | { readonly type: "member" | "not-member"; readonly groupUri: string }
  /** Documents were fetched, all of them. */
  | { readonly type: "fetched" }
  /** Something went wrong, and is tried again where `retryAt` says when. */
  | { readonly type: "failed"; readonly error: unknown; readonly retryAt: number | undefined };

export type Tell = (event: GroupClientEvent) => void;
