/** The context in which the procedures over SIP work. */

import type { RandomSource } from "../../../base/random.ts";
import type { MemoryReceiverState } from "../../../bindings/index.ts";
import { type Part, writeMultipart } from "../../../documents/group-xml/index.ts";
import type { Clock, SipEndpoint, SipResponse } from "../../../transport/sip/index.ts";
import type { SeenMessages } from "../../call/seen-messages.ts";
import type { ClientKeys } from "../../identity/index.ts";
import type { ServerLog } from "../../server/log.ts";
import type { Targets } from "../../server/targets.ts";
import type { TokenVerifier } from "../../server/tokens.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { McxConfig } from "../common/config.ts";
import type { GroupDirectory } from "../common/directory.ts";
import type { FileServer } from "../files/index.ts";
import type { PrivateSessions } from "../session/private-sessions.ts";
import type { GroupSessions } from "../session/sessions.ts";
import type { VideoSessions } from "../session/video-sessions.ts";
import type { BoundClient, Clients } from "./clients.ts";
import type { Mailboxes } from "./mailboxes.ts";
import type { Outsiders } from "./outsiders.ts";

export interface SignallingContext {
  readonly config: McxConfig;
  readonly endpoint: SipEndpoint;
  readonly keys: () => ClientKeys;
  readonly tokens: TokenVerifier;
  readonly directory: GroupDirectory;
  readonly clients: Clients;
  readonly sessions: GroupSessions;
  readonly videoSessions: VideoSessions;
  readonly privateSessions: PrivateSessions;
  /** The targets to which clients may have requests and media sent. */
  readonly targets: Targets;
  /** Messages with CSKs that have been seen. */
  readonly seen: MemoryReceiverState;
  /** MCData messages that have been taken. */
  readonly messages: SeenMessages;
  /** For users who are away. */
  readonly mailboxes: Mailboxes;
  readonly outsiders: Outsiders;
  /** The file that was uploaded to a URL; undefined for a URL of no file of this server. Absent: there are no files. */
  readonly fileAt?: FileServer["fileAt"] | undefined;
  readonly urlHere?: FileServer["urlHere"] | undefined;
  /** The other processes of this server; without it there are none. */
  readonly cluster?: Pick<Cluster, "claim" | "post" | "firstSeen"> | undefined;
  /** Whether this process stops, so that its clients are to go elsewhere. */
  readonly isStopping?: () => boolean;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly random: RandomSource;
  readonly log: ServerLog;
  /** Counts by name. */
  readonly count: (event: string) => void;
}

/** A MESSAGE to a client; in an IMS to the identity that its S-CSCF knows the way to (TS 24.229 5.4.3.3). Rejects as `SipEndpoint.request`. */
export function tell(
  { endpoint, config }: SignallingContext,
  { user, contact, asserted, flow }: BoundClient,
  parts: readonly Part[],
): Promise<SipResponse> {
  const { contentType, body } = writeMultipart(parts);
  return endpoint.request({
    method: "MESSAGE",
    uri: asserted[0] ?? contact,
    from: config.mcxUri,
    to: asserted[0] ?? user,
    contentType,
    body,
    peer: flow,
  });
}
