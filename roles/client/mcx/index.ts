/** A client of an MCX server: keys of control signalling, calls of groups, with speech or video, and of two users, and short data over SIP. */
import type { Member } from "../../../bindings/index.ts";
import type { McDataFile } from "../../../bindings/mcdata/index.ts";
import { Bindings } from "./bindings.ts";
import { createMcxGroupClient, type McxGroupClient } from "./client.ts";
import type { ReceivedFile, SendFileOptions } from "./file-types.ts";
import { fetchFile, readFileMessage, sendFile, sendFileTo } from "./files.ts";
import type { McxClientOptions } from "./options.ts";
import { callUser, joinUser, privateCallHandler } from "./private-calling.ts";
import type {
  JoinedPrivateCall,
  JoinUserOptions,
  McxPrivateCall,
  McxPrivateCallOptions,
} from "./private-calls.ts";
import { PrivateFileKeys } from "./private-file-keys.ts";
import { callWithVideo, type McxVideoCall, type VideoCallHandlers } from "./video-calling.ts";

export type { ControlKeys } from "../../call/control-keys.ts";
export { G711_CODECS, type SpeechCodec } from "../../call/speech-codec.ts";
export { McxRefusedError } from "./binding.ts";
export {
  CALL_KEEP_ALIVE,
  type CallOptions,
  type JoinedCall,
  type JoinOptions,
  type McxCall,
} from "./calling.ts";
export type { McxGroupClient } from "./client.ts";
export type {
  FileFetch,
  FileNotification,
  FileOptions,
  ReceivedFile,
  SendFileOptions,
} from "./file-types.ts";
export type {
  DataNotification,
  McxClientEvent,
  McxClientOptions,
  ReceivedData,
  SendDataOptions,
  SentData,
} from "./options.ts";
export type {
  JoinedPrivateCall,
  JoinUserOptions,
  McxPrivateCall,
  McxPrivateCallHandlers,
  McxPrivateCallOptions,
  OnPrivateCall,
  TakenMcxPrivateCall,
} from "./private-calls.ts";

export type { McxVideoCall, VideoCallHandlers } from "./video-calling.ts";
export type { Watch, WatchOptions } from "./watching.ts";

export interface McxClient extends McxGroupClient {
  /** Calls one user, under a key that only the two have. See `callUser` for its errors. */
  callUser(userUri: string, options?: McxPrivateCallOptions): Promise<McxPrivateCall>;
  /** Joins the call with video of a group. See `callWithVideo` for its errors. */
  video(groupUri: string, handlers?: VideoCallHandlers): Promise<McxVideoCall>;
  /** The signalling of it alone: media and floor control are the caller's. See `joinUser` for its errors. */
  joinUser(userUri: string, options: JoinUserOptions): Promise<JoinedPrivateCall>;
  /** Uploads a file for all members and tells them. See `sendFile` for its errors. */
  sendFile(
    groupUri: string,
    file: McDataFile,
    options?: SendFileOptions,
  ): Promise<Pick<ReceivedFile, "conversationId" | "messageId">>;
  /** Uploads a file for one user and tells them, under a key that only the two have. See `sendFileTo` for its errors. */
  sendFileTo(receiver: Member, file: McDataFile): Promise<Pick<ReceivedFile, "conversationId" | "messageId">>;
  /** Downloads and opens a file of the event `file`. See `fetchFile` for its errors. */
  fetchFile(received: ReceivedFile): Promise<McDataFile>;
}

export function createMcxClient(options: McxClientOptions): McxClient {
  const { endpoint, onPrivateCall } = options;
  const bindings = new Bindings(options);
  const privateKeys = new PrivateFileKeys(options);
  const client = createMcxGroupClient(
    options,
    bindings,
    options.files && ((info, parts) => readFileMessage(info, parts, options, privateKeys)),
  );
  if (onPrivateCall !== undefined) endpoint.onInvite(privateCallHandler(options, bindings, onPrivateCall));
  return {
    ...client,
    callUser: (userUri, callOptions = {}) => callUser(options, bindings, userUri, callOptions),
    video: (groupUri, handlers = {}) => callWithVideo(options, bindings, groupUri, handlers),
    joinUser: (userUri, joinOptions) => joinUser(options, bindings, userUri, joinOptions),
    sendFile: (groupUri, file, fileOptions = {}) =>
      sendFile(options, bindings.present, groupUri, file, fileOptions),
    sendFileTo: (receiver, file) => sendFileTo(options, bindings.present, receiver, file),
    fetchFile: (received) => fetchFile(options, bindings.present, privateKeys, received),
    async close() {
      await client.close();
      privateKeys.destroy();
    },
  };
}
