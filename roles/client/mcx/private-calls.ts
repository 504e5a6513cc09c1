/** Private calls by way of the server, as users of a client see them. */
import type { DeliveredKey } from "../../../bindings/index.ts";
import type { JitterBufferOptions } from "../../../bindings/media/index.ts";
import type { CallDescription } from "../../../documents/sdp/call.ts";
import type { SessionEnd } from "../../../transport/sip/index.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import type { CallEvent } from "../calls/call-events.ts";
import type { PrivateCall } from "../calls/private-call.ts";

export interface McxPrivateCall {
  readonly call: PrivateCall;
  /** Ends the call and closes its sockets. */
  hangUp(): Promise<void>;
}

export interface McxPrivateCallHandlers {
  readonly jitter?: JitterBufferOptions;
  readonly onEvent?: (event: CallEvent) => void;
  /** The other side has ended the call, or the server is lost. Not called for one's own `hangUp`. */
  readonly onEnd?: (end: SessionEnd) => void;
}

export interface McxPrivateCallOptions extends McxPrivateCallHandlers {
  /** `KmsUri` of the callee's KMS; one's own when absent. */
  readonly kmsUri?: string;
}

export interface JoinUserOptions extends Pick<McxPrivateCallOptions, "kmsUri"> {
  /** The description of media and floor control for the server, for the answer to say where they go. */
  readonly offer: CallDescription;
  /** The other side has ended the call, or the server is lost. Not called for one's own `hangUp`. */
  readonly onEnd: (end: SessionEnd) => void;
}

/** The signalling of a private call. */
export interface JoinedPrivateCall {
  readonly answer: CallDescription;
  /** The key of the caller's side, which is gone with the call. */
  readonly pck: DeliveredKey;
  /** Keys of floor control; they change. */
  readonly control: ControlKeys;
  /** SSRC of this client's floor control, never reused under its keys. */
  readonly controlSsrc: number;
  hangUp(): Promise<void>;
}

/** A call that the callee's application has taken, as it handles it. */
export interface TakenMcxPrivateCall extends McxPrivateCallHandlers {
  readonly onBegin: (placed: McxPrivateCall) => void;
}

/** Whether a call of that user is taken, whose signature has been verified. Undefined: it is not, and the caller gets 486. */
export type OnPrivateCall = (
  callerUri: string,
) => TakenMcxPrivateCall | undefined | Promise<TakenMcxPrivateCall | undefined>;
