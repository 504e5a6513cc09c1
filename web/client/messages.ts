/**
 * The messages between the parts of the page. The main thread draws and takes input; one worker has keys and SIP,
 * another one SRTP and the media sockets, so that keys that load hold up no packet. Voice goes between the worklets and
 * the latter.
 */

import type { CallDescription, SpeechFormat } from "../../documents/sdp/call.ts";
import type { FloorLoss, FloorStateName } from "../../roles/client/calls/index.ts";
import type { LoginRequest } from "../../roles/identity/oidc.ts";
import type { OidcSignIn, PageConfig } from "./config.ts";

export interface KeyView {
  /** Hex. */
  readonly gmkId: string;
  readonly state: string;
  /** Milliseconds since the Unix epoch. */
  readonly activation: number;
  readonly expiry: number | undefined;
  readonly from: string | undefined;
  readonly text: string;
}

export interface GroupView {
  readonly uri: string;
  /** That is sent under; undefined: none is active. */
  readonly key: KeyView | undefined;
  /** Others that are held, newest first. */
  readonly others: readonly KeyView[];
  readonly call: "none" | "joining" | "joined";
  /** The participants of the call; undefined where the server does not tell. */
  readonly present: readonly string[] | undefined;
}

export interface TextView {
  readonly id: string;
  readonly group: string;
  readonly from: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly text: string;
  /** One's own until the server has it: it goes out when there is a connection. */
  readonly isWaiting: boolean;
  /** Of one's own that the server has: what receipts name. */
  readonly messageId?: string;
}

/** The fate of a message of the user's at its receivers. */
export interface ReceiptView {
  readonly messageId: string;
  /** Those who have it and have not read it, as far as they have told. */
  readonly delivered: readonly string[];
  readonly read: readonly string[];
}

/** A private call that the user has placed. */
export interface PrivateCallView {
  readonly user: string;
  readonly state: "calling" | "joined";
}

export type ToKeys =
  | {
      readonly type: "start";
      readonly user: string;
      readonly config: PageConfig;
      readonly media: MessagePort;
      /** The groups whose calls are joined; all when undefined. */
      readonly groups?: readonly string[];
      readonly hasOpus: boolean;
    }
  | { readonly type: "text"; readonly group: string; readonly text: string }
  /** A private call, one at a time. */
  | { readonly type: "call-user"; readonly user: string }
  | { readonly type: "hang-up" }
  /** The groups whose texts the user sees. */
  | { readonly type: "shown"; readonly groups: readonly string[] }
  /** The groups whose calls are joined from now on; other calls are left. */
  | { readonly type: "choose"; readonly groups: readonly string[] }
  /** The user leaves all calls: answered by `go`. */
  | { readonly type: "leave" }
  | SignInMessage;

/** The settings that the worker needs where the user signs in at an identity management server. */
interface WithServer {
  readonly signIn: OidcSignIn;
  /** Address of the page, to which the server sends the user back. */
  readonly page: string;
}

export type SignInMessage =
  | (WithServer & { readonly type: "log-in" })
  /** `answer`: the query with which the user came back. */
  | (WithServer & { readonly type: "logged-in"; readonly request: LoginRequest; readonly answer: string })
  /** From an earlier visit. */
  | (WithServer & { readonly type: "resume"; readonly user: string })
  | { readonly type: "log-out" };

/** Steps from the first visit to the first word. */
export type Step = "core" | "keys" | "subscribed" | "group-key" | "bound" | "joined";

export type FromKeys =
  | { readonly type: "step"; readonly step: Step }
  | { readonly type: "groups"; readonly groups: readonly GroupView[] }
  | { readonly type: "text"; readonly text: TextView }
  | { readonly type: "receipt"; readonly receipt: ReceiptView }
  /** Undefined: there is none any more. */
  | { readonly type: "private-call"; readonly call: PrivateCallView | undefined }
  | { readonly type: "connected"; readonly server: "gms" | "mcx"; readonly isConnected: boolean }
  /** The user who has signed in; undefined: nobody, or no longer. */
  | { readonly type: "user"; readonly user: string | undefined }
  /** The URL to which the browser goes to sign in or out, with what is kept until it is back; undefined: nowhere. */
  | { readonly type: "go"; readonly url: string | undefined; readonly request: LoginRequest | undefined }
  | { readonly type: "fault"; readonly text: string };

/** A key as it crosses to the other worker. */
export interface PlainKey {
  readonly kind: string;
  readonly keyId: number;
  readonly ukId: number;
  readonly rand: Uint8Array;
  readonly key: Uint8Array;
}

export type KeysToMedia =
  | { readonly type: "user"; readonly user: string; readonly mixer: string }
  | { readonly type: "control-keys"; readonly keys: readonly PlainKey[] }
  | {
      readonly type: "group-keys";
      readonly group: string;
      readonly sending: number | undefined;
      readonly keys: readonly PlainKey[];
    }
  | {
      readonly type: "open";
      readonly group: string;
      readonly answer: CallDescription;
      readonly controlSsrc: number;
    }
  | PrivateCallOpened
  /** The call goes on in the first of these. */
  | { readonly type: "speech"; readonly group: string; readonly speech: readonly SpeechFormat[] }
  /** `group`: of a private call, its user. */
  | { readonly type: "close"; readonly group: string };

/** In what names a group, a private call has the user who was called. */
export interface PrivateCallOpened {
  readonly type: "open-private";
  readonly user: string;
  readonly pck: PlainKey;
  readonly answer: CallDescription;
  readonly controlSsrc: number;
}

export type ToMedia =
  | { readonly type: "keys"; readonly port: MessagePort }
  | { readonly type: "audio"; readonly capture: MessagePort | undefined; readonly play: MessagePort }
  | { readonly type: "request"; readonly group: string; readonly isEmergency: boolean }
  | { readonly type: "release" }
  /** How loud a group is played: 1 is as it comes, and what is not said before. */
  | { readonly type: "volume"; readonly group: string; readonly volume: number }
  | { readonly type: "count" };

export interface FloorView {
  readonly group: string;
  readonly state: FloorStateName;
  readonly talker: string | undefined;
  readonly isEmergency: boolean;
  readonly position: number | undefined;
  /** Milliseconds until one's own right to talk ends. */
  readonly left: number | undefined;
  readonly lost: FloorLoss | undefined;
}

export interface MediaCounts {
  readonly sent: number;
  readonly received: number;
  readonly played: number;
  readonly lost: number;
  readonly refused: number;
}

export type FromMedia =
  | ({ readonly type: "floor" } & FloorView)
  | { readonly type: "socket"; readonly group: string; readonly isOpen: boolean }
  /** The first frame of a talk is played. */
  | { readonly type: "heard"; readonly group: string }
  | { readonly type: "counts"; readonly counts: MediaCounts };

/** To the capture worklet: whether frames leave it. From it: 20 ms at its rate. */
export type ToCapture = { readonly isOn: boolean };
/** From the play-out worklet: the next 20 ms are wanted. To it: those, or `null` for silence. */
export type Pull = "pull";

/** Sample rate of the audio context and the worklets. */
export const AUDIO_RATE = 48_000;
/** Samples of 20 ms. */
export const AUDIO_FRAME = 960;
