/** A client of an MCX server: keys of control signalling, calls of groups and of two users, and short data over SIP. */
import { Bindings } from "./bindings.ts";
import { createMcxGroupClient, type McxGroupClient } from "./client.ts";
import type { McxClientOptions } from "./options.ts";
import { callUser, privateCallHandler } from "./private-calling.ts";
import type { McxPrivateCall, McxPrivateCallOptions } from "./private-calls.ts";

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
export type { McxClientEvent, McxClientOptions, ReceivedData } from "./options.ts";
export type {
  McxPrivateCall,
  McxPrivateCallHandlers,
  McxPrivateCallOptions,
  OnPrivateCall,
  TakenMcxPrivateCall,
} from "./private-calls.ts";

export type { Watch, WatchOptions } from "./watching.ts";

export interface McxClient extends McxGroupClient {
  /** Calls one user, under a key that only the two have. See `callUser` for its errors. */
  callUser(userUri: string, options?: McxPrivateCallOptions): Promise<McxPrivateCall>;
}

export function createMcxClient(options: McxClientOptions): McxClient {
  const { endpoint, onPrivateCall } = options;
  const bindings = new Bindings(options);
  const client = createMcxGroupClient(options, bindings);
  if (onPrivateCall !== undefined) endpoint.onInvite(privateCallHandler(options, bindings, onPrivateCall));
  return {
    ...client,
    callUser: (userUri, callOptions = {}) => callUser(options, bindings, userUri, callOptions),
  };
}
