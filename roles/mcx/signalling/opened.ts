/** A request of a client that is bound: who it is, and its body with the XML in clear (TS 33.180 9.3). */
import { MikeySakkeError } from "../../../base/errors.ts";
import type { KeyId } from "../../../bindings/index.ts";
import {
  type GroupService,
  type McpttInfo,
  MEDIA,
  type Part,
  readMcdataInfo,
  readMcpttInfo,
  readMcvideoInfo,
} from "../../../documents/group-xml/index.ts";
import { openSignalling } from "../../../documents/signalling-xml/index.ts";
import { type Incoming, isSameUri } from "../../../transport/sip/index.ts";
import type { GroupMember } from "../common/directory.ts";
import type { BoundClient } from "./clients.ts";
import type { SignallingContext } from "./context.ts";
import { requireFresh } from "./fresh.ts";
import { type Caller, callerOf, needPart, partsOf } from "./request.ts";
import { SignallingRefusal } from "./signalling-refusal.ts";

export interface OpenedRequest {
  readonly client: BoundClient;
  readonly parts: readonly Part[];
  readonly info: McpttInfo;
}

const INFO = {
  mcptt: { type: MEDIA.mcpttInfo, read: readMcpttInfo },
  mcvideo: { type: MEDIA.mcvideoInfo, read: readMcvideoInfo },
  mcdata: { type: MEDIA.mcdataInfo, read: readMcdataInfo },
};

/** `service`: whose info document the request must have. */
export async function openRequest(
  incoming: Incoming,
  service: keyof typeof INFO,
  context: SignallingContext,
): Promise<OpenedRequest> {
  const { now, config } = context;
  const sealed = partsOf(incoming.request, config.limits.bodyBytes);
  const caller = await callerOf(incoming, sealed, context);
  const { client, keyId, parts, signatures } = await openParts(
    clientsOf(caller, incoming, context),
    sealed,
    context,
  );
  const { type, read } = INFO[service];
  const info = readOrRefuse(() => read(needPart(parts, type)));
  if (info.callingUser !== undefined && !isSameUri(info.callingUser, client.user)) {
    throw new SignallingRefusal("FORGED_CALLER", info.callingUser);
  }
  const isAsserted = client.isOf(caller.asserted);
  const signed = { incoming, client, parts, binding: info.binding, signatures, isAsserted };
  requireFresh(signed, { now, acceptUnbound: config.acceptUnbound });
  client.used(keyId);
  return { client, parts, info };
}

/**
 * Clients that a request may be of: those of the users of its token; without one, those that are bound to the IMS
 * identity which a trusted proxy asserts (TS 24.379 7.3), or on this very connection.
 */
function clientsOf({ users, asserted }: Caller, { flow }: Incoming, { clients }: SignallingContext) {
  const own = users?.flatMap((user) => clients.of(user)) ?? [
    ...clients.asserted(asserted),
    ...(flow.reliable ? clients.on(flow) : []),
  ];
  if (own.length > 0) return own;
  const isNamed = users !== undefined || asserted.length > 0;
  throw new SignallingRefusal(isNamed ? "NOT_BOUND" : "TOKEN_MISSING", (users ?? asserted).join(" "));
}

async function openParts(
  own: readonly BoundClient[],
  parts: readonly Part[],
  { clients }: SignallingContext,
) {
  try {
    // The CSK tells which of the clients it is.
    const holder = (keyId: KeyId) => own.find((client) => client.receiving(keyId) !== undefined);
    const opened = await openSignalling(parts, { find: (keyId) => holder(keyId)?.xml.find(keyId) });
    const { key, parts: clear, signatures } = opened;
    const client = key && holder(key.keyId);
    if (client === undefined || !clients.has(client)) {
      throw new SignallingRefusal("XML_REFUSED", "not protected under a CSK of the user");
    }
    return { client, keyId: key!.keyId, parts: clear, signatures };
  } catch (error) {
    if (!(error instanceof MikeySakkeError) || error instanceof SignallingRefusal) throw error;
    throw new SignallingRefusal("XML_REFUSED", error.message, error);
  }
}

/** Reads a part. */
export function readOrRefuse<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
    throw new SignallingRefusal(error.code === "BAD_SDP" ? "BAD_SDP" : "BAD_BODY", error.message, error);
  }
}

/**
 * Refuses users who are not in the group, and services that the group does not have. A group whose document names none may
 * have every service.
 *
 * @throws {SignallingRefusal} NOT_A_MEMBER also where there is no such group, SERVICE_NOT_IN_GROUP, TOO_MANY, DIRECTORY_UNAVAILABLE
 */
export async function requireMember(
  { directory, outsiders, clock }: Pick<SignallingContext, "directory" | "outsiders" | "clock">,
  group: string,
  user: string,
  service: GroupService,
): Promise<GroupMember> {
  if (!outsiders.may(user)) throw new SignallingRefusal("TOO_MANY", `groups that ${user} is not in`);
  const askedAt = clock.now();
  const member = await directory.member(group, user).catch((error: unknown) => {
    throw new SignallingRefusal("DIRECTORY_UNAVAILABLE", group, error);
  });
  if (member !== undefined) {
    const { services = [service] } = member.group ?? {};
    if (!services.includes(service))
      throw new SignallingRefusal("SERVICE_NOT_IN_GROUP", `${service} in ${group}`);
    return member;
  }
  await outsiders.guessed(user, askedAt);
  throw new SignallingRefusal("NOT_A_MEMBER", `${user} in ${group}`);
}
