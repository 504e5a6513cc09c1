/** The MC client's group half: keys of groups from a GMS (TS 33.180 5.7), over SIP and over HTTP. */
export { createGroupClient, type GmsAddress, type GroupClient, type GroupClientOptions } from "./create.ts";
export type { Carrier, GroupClientEvent } from "./events.ts";
export type { GroupKey, GroupKeyState, UsableGroupKey } from "./group-key.ts";
export { type GroupKeyChange, GroupKeyRing, type GroupKeyRingOptions } from "./group-key-ring.ts";
export {
  type GmsIdentity,
  type Parties,
  type TakeContext,
  type TakenMessage,
  takeMessage,
} from "./take-message.ts";
export { type XcapFetch, type XcapFetchInit, XcapRefusedError } from "./xcap-client.ts";
