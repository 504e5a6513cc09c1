/** The refusals of calls and their legs, and of configurations. The signalling has answers of its own for these codes. */
import { MikeySakkeError } from "../../../base/errors.ts";

export type McxErrorCode =
  /** The address of a leg is none, not that of one host, or one of this server's sockets. */
  | "BAD_ADDRESS"
  | "LEG_EXISTS"
  | "NO_SUCH_LEG"
  | "TOO_MANY_LEGS"
  | "TOO_MANY_SESSIONS"
  /** Media are not taken over WebSockets. */
  | "NO_COMMON_VIDEO"
  | "NO_WEB_SOCKET"
  /** The call has as many participants as the group document allows. */
  | "CALL_FULL"
  /** The client offers no format of speech that the call is in. */
  | "NO_COMMON_SPEECH";

export function refused(code: McxErrorCode, message: string): MikeySakkeError {
  return new MikeySakkeError("usage", code, message);
}

export function refusedConfig(message: string): MikeySakkeError {
  return new MikeySakkeError("usage", "BAD_CONFIG", `MCX server configuration: ${message}`);
}
