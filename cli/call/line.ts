/** A call that the command line speaks or listens in: of a group, with a user, or one that somebody else begins. */
import type { SpeechCodec } from "../../roles/call/speech-codec.ts";
import type { CallEvent, GroupCall, PrivateCall } from "../../roles/client/calls/index.ts";
import type { TakenMcxPrivateCall } from "../../roles/client/mcx/index.ts";
import { type McxMemberOptions, type McxUserOptions, openMcxMember, openMcxUser } from "../device/member.ts";

export interface LineEvents {
  readonly onEvent: (event: CallEvent) => void;
  /** The call has ended, and why. */
  readonly onEnd: (why: string) => void;
}

export interface LineCall {
  readonly call: GroupCall | PrivateCall;
  hangUp(): Promise<void>;
}

/** A user who is bound at the server. */
export interface Line {
  /** Begins the call, or waits for one until the signal; undefined: none has come. */
  begin(events: LineEvents, signal: AbortSignal): Promise<LineCall | undefined>;
  close(): Promise<void>;
}

export type OpenLine = (codecs: readonly SpeechCodec[]) => Promise<Line>;

const ignore = () => undefined;

export function groupLine(options: Omit<McxMemberOptions, "onEvent">): OpenLine {
  return async (codecs) => {
    const { client, close } = await openMcxMember({ ...options, codecs, onEvent: ignore });
    return { begin: (events) => client.call(options.groupUri, events), close };
  };
}

export function userLine(options: Omit<McxUserOptions, "onEvent">, calleeUri: string): OpenLine {
  return async (codecs) => {
    const { client, close } = await openMcxUser({ ...options, codecs, onEvent: ignore });
    return { begin: (events) => client.callUser(calleeUri, events), close };
  };
}

export interface Answering {
  /** A call may come. */
  readonly waiting: () => void;
  readonly begun: (callerUri: string) => void;
}

/** The first call that comes. */
export function answeredLine(
  options: Omit<McxUserOptions, "onEvent">,
  { waiting, begun }: Answering,
): OpenLine {
  return async (codecs) => {
    let take: (callerUri: string) => TakenMcxPrivateCall | undefined = ignore;
    const { close } = await openMcxUser({
      ...options,
      codecs,
      onEvent: ignore,
      onPrivateCall: (callerUri) => take(callerUri),
    });
    const begin = (events: LineEvents, signal: AbortSignal) =>
      new Promise<LineCall | undefined>((resolve) => {
        if (signal.aborted) return resolve(undefined);
        signal.addEventListener("abort", () => resolve(undefined), { once: true });
        take = (callerUri) => ({
          ...events,
          onBegin(placed) {
            // Two may come at a time.
            if (take === ignore) return void placed.hangUp();
            take = ignore;
            begun(callerUri);
            resolve(placed);
          },
        });
        waiting();
      });
    return { begin, close };
  };
}
