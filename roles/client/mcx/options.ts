/** The options of a client of an MCX server, and the events that it reports. */

import type { RandomSource } from "../../../base/random.ts";
import type { Tolerance } from "../../../bindings/index.ts";
import type { GroupMediaKeys, IndexBlocks } from "../../../bindings/media/index.ts";
import type { DatagramAddress, DatagramPort } from "../../../transport/datagram/ports.ts";
import type {
  Clock,
  KeepAliveOptions,
  SessionTimerOptions,
  SipEndpoint,
  SipResolver,
} from "../../../transport/sip/index.ts";
import type { SpeechCodec } from "../../call/speech-codec.ts";
import type { ImsIdentity } from "../../identity/ims.ts";
import type { ClientKeys } from "../../identity/load-keys.ts";
import type { FileNotification, FileOptions, ReceivedFile } from "./file-types.ts";
import type { OnPrivateCall } from "./private-calls.ts";

export interface McxClientOptions {
  /** MC service user ID. */
  readonly userUri: string;
  /** The IMS that the client is registered in; without it requests have the MC service user ID and a token each. */
  readonly ims?: ImsIdentity;
  /** Identity of the server: the MDSI that the CSK is encrypted to. */
  readonly mcxUri: string;
  /** The KMS that keys it; the Home KMS when absent. */
  readonly mcxKmsUri?: string;
  /** The address of the server: a SIP URI that requests go to, or those of several processes, the best first. */
  readonly sipUri: string | readonly string[];
  /** Finds all servers of each name by DNS (RFC 3263). Without it, names are left to the sockets. */
  readonly resolver?: SipResolver;
  /**
   * How often the server is asked whether it still has the binding. When absent, `KEEP_ALIVE`, or `PATIENT_KEEP_ALIVE` where
   * `sipUri` names one server and there is no resolver.
   */
  readonly keepAlive?: KeepAliveOptions;
  /** The same for a call, with `CALL_KEEP_ALIVE` in place of `KEEP_ALIVE`. */
  readonly callKeepAlive?: KeepAliveOptions;
  /** Started; stays the caller's. Its MESSAGEs are taken. */
  readonly endpoint: SipEndpoint;
  readonly keys: () => ClientKeys;
  /** An access token for the server, asked for at each request. */
  readonly token: () => Promise<string>;
  /** Keys of a group: `ringKeys`. */
  readonly groupKeys: (groupUri: string) => GroupMediaKeys;
  /** The options for the upload and download of files; without them, messages about files are refused. */
  readonly files?: FileOptions;
  /** Whether a private call of somebody is taken. No such call is taken when absent. */
  readonly onPrivateCall?: OnPrivateCall;
  /** Departures from TS 33.180 in the key of a private call that are taken. */
  readonly tolerance?: Tolerance;
  /** The formats of speech that calls offer, the preferred one first. G.711 when absent. */
  readonly codecs?: readonly SpeechCodec[];
  /** The indexes that media are sent under: `ReservedBlocks`, or drawn blocks when absent. */
  readonly mediaBlocks?: IndexBlocks;
  /** A socket that the server's media reach; with a group, one that hears it. */
  readonly openPort: (group?: DatagramAddress) => Promise<DatagramPort>;
  /** Seconds that the binding is asked for. */
  readonly expires?: number;
  /** How long a call outlives its client or its server. `SESSION_TIMER` when absent. */
  readonly sessionTimer?: SessionTimerOptions;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly random: RandomSource;
  readonly onEvent?: (event: McxClientEvent) => void;
}

export interface SendDataOptions {
  /**
   * One of `SDS_DISPOSITION_REQUESTS`: what each receiver is asked to tell, and with any of them the server tells which members it
   * does not reach. Nothing when absent.
   */
  readonly dispositionRequest?: number;
}

/** The identifiers of a message, which notifications quote. In hex. */
export interface SentData {
  readonly conversationId: string;
  readonly messageId: string;
}

export interface ReceivedData {
  readonly groupUri: string;
  /** Sender according to the server. */
  readonly from: string;
  /** Unix seconds, as the sender says. */
  readonly dateTime: number;
  /** Hex. */
  readonly conversationId: string;
  readonly messageId: string;
  /** One of `SDS_DISPOSITION_REQUESTS`: what the sender asks to be told, by `notify`. */
  readonly dispositionRequest?: number;
  /** Content types are those of `PAYLOAD_CONTENT_TYPES`. */
  readonly payloads: readonly { readonly contentType: number; readonly data: Uint8Array }[];
}

/** What became of short data at one receiver, who is `from`. */
export interface DataNotification extends FileNotification {
  /** One of `SDS_DISPOSITIONS`. UNDELIVERED is said by the server. */
  readonly disposition: number;
}

/** Where no other server is known, nothing is gained by giving one up early that is slow: lost after 30 seconds at most. */
export const PATIENT_KEEP_ALIVE: KeepAliveOptions = { interval: 10_000, limit: 20_000 };

export function hasOneServer({ sipUri, resolver }: Pick<McxClientOptions, "sipUri" | "resolver">): boolean {
  return resolver === undefined && (typeof sipUri === "string" || sipUri.length === 1);
}

export type McxClientEvent =
  /** The server has the CSK. */
  | { readonly type: "bound"; readonly expires: number; readonly server: string }
  /** The server has the client as before, perhaps on another connection. */
  | { readonly type: "renewed"; readonly expires: number }
  /** The binding could not be renewed; it is tried again. */
  | { readonly type: "binding-failed"; readonly error: unknown }
  /** A process of the server does not answer any more, or stops. Another one is tried. */
  | { readonly type: "server-lost"; readonly server: string }
  /** The call has lost its server, and is joined again. */
  | { readonly type: "call-lost"; readonly groupUri: string }
  | { readonly type: "call-joined"; readonly groupUri: string; readonly server: string }
  | { readonly type: "key"; readonly kind: string; readonly keyId: number }
  | ({ readonly type: "data" } & ReceivedData)
  /** A receiver tells what its sender has asked for, or the server that it could not reach the receiver. */
  | ({ readonly type: "data-notification" } & DataNotification)
  /** A member has uploaded a file: `fetchFile`. */
  | ({ readonly type: "file" } & ReceivedFile)
  | ({ readonly type: "file-notification" } & FileNotification)
  /** A MESSAGE, a NOTIFY or the INVITE of a private call that was refused here, or a call that cannot be watched. */
  | { readonly type: "refused"; readonly error: unknown };
