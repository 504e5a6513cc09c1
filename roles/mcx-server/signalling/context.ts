/** What the procedures over SIP work with. */
import type { MemoryReceiverState } from "../../../bindings/index.ts";
import type { RandomSource } from "../../../bindings/random.ts";
import { type Part, writeMultipart } from "../../../transport/group-xml/index.ts";
import type { Clock, SipEndpoint, SipResponse } from "../../../transport/sip/index.ts";
import type { ClientKeys } from "../../client/index.ts";
import type { ServerLog } from "../../server/log.ts";
import type { TokenVerifier } from "../../server/tokens.ts";
import type { McxConfig } from "../config.ts";
import type { GroupDirectory } from "../directory.ts";
import type { GroupSessions } from "../session/sessions.ts";
import type { BoundClient, Clients } from "./clients.ts";

export interface SignallingContext {
  readonly config: McxConfig;
  readonly endpoint: SipEndpoint;
  readonly keys: () => ClientKeys;
  readonly tokens: TokenVerifier;
  readonly directory: GroupDirectory;
  readonly clients: Clients;
  readonly sessions: GroupSessions;
  /** Messages with CSKs that have been seen. */
  readonly seen: MemoryReceiverState;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly random: RandomSource;
  readonly log: ServerLog;
  /** Counts by name. */
  readonly count: (event: string) => void;
}

/** A MESSAGE to a client. Rejects as `SipEndpoint.request`. */
export function tell(
  { endpoint, config }: SignallingContext,
  { user, contact, flow }: BoundClient,
  parts: readonly Part[],
): Promise<SipResponse> {
  const { contentType, body } = writeMultipart(parts);
  return endpoint.request({
    method: "MESSAGE",
    uri: contact,
    from: config.mcxUri,
    to: user,
    contentType,
    body,
    // A client behind a NAT is reached on its own connection only.
    ...(flow.reliable && flow.accepted && flow.open && { flow }),
  });
}
