/** What a client of an MCX server is given, and tells. */
import type { GroupMediaKeys } from "../../../bindings/media/index.ts";
import type { RandomSource } from "../../../bindings/random.ts";
import type { DatagramAddress, DatagramPort } from "../../../transport/datagram/ports.ts";
import type { Clock, SipEndpoint } from "../../../transport/sip/index.ts";
import type { ClientKeys } from "../load-keys.ts";

export interface McxClientOptions {
  /** MC service user ID. */
  readonly userUri: string;
  /** Identity of the server: the MDSI that the CSK is encrypted to. */
  readonly mcxUri: string;
  /** Where it is: a SIP URI that requests go to. */
  readonly sipUri: string;
  /** Started; stays the caller's. Its MESSAGEs are taken. */
  readonly endpoint: SipEndpoint;
  readonly keys: () => ClientKeys;
  /** An access token for the server, asked for at each request. */
  readonly token: () => Promise<string>;
  /** Keys of a group: `ringKeys`. */
  readonly groupKeys: (groupUri: string) => GroupMediaKeys;
  /** A socket that the server's media reach; with a group, one that hears it. */
  readonly openPort: (group?: DatagramAddress) => Promise<DatagramPort>;
  /** Seconds that the binding is asked for. */
  readonly expires?: number;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly random: RandomSource;
  readonly onEvent?: (event: McxClientEvent) => void;
}

export interface ReceivedData {
  readonly groupUri: string;
  /** Who sent it, as the server says. */
  readonly from: string;
  /** Unix seconds, as the sender says. */
  readonly dateTime: number;
  /** Hex. */
  readonly conversationId: string;
  readonly messageId: string;
  /** Content types are those of `PAYLOAD_CONTENT_TYPES`. */
  readonly payloads: readonly { readonly contentType: number; readonly data: Uint8Array }[];
}

export type McxClientEvent =
  /** The server has the CSK. */
  | { readonly type: "bound"; readonly expires: number }
  /** The binding could not be renewed; it is tried again. */
  | { readonly type: "binding-failed"; readonly error: unknown }
  | { readonly type: "key"; readonly kind: string; readonly keyId: number }
  | ({ readonly type: "data" } & ReceivedData)
  /** A MESSAGE that was refused. */
  | { readonly type: "refused"; readonly error: unknown };
