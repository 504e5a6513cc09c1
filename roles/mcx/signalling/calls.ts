/** Group calls (TS 24.379 10.1): an INVITE of a member joins the session of the group, a BYE leaves it. */
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { MEDIA } from "../../../documents/group-xml/index.ts";
import { readCallSdp, writeCallSdp } from "../../../documents/sdp/call.ts";
import type { Contacts } from "../../../store/index.ts";
import {
  CONTACT,
  type Incoming,
  type InviteAnswer,
  nameAddress,
  type SipRequest,
} from "../../../transport/sip/index.ts";
import type { GroupRules } from "../common/directory.ts";
import type { SignallingContext } from "./context.ts";
import { openRequest, readOrRefuse, requireMember } from "./opened.ts";
import { invitePrivately, PRIVATE } from "./private-calls.ts";
import { needPart, provenBy } from "./request.ts";
import { SignallingRefusal } from "./signalling-refusal.ts";

const SESSION_TYPES = ["prearranged", "chat"];

export function inviteHandler(context: SignallingContext) {
  const { sessions, random, targets } = context;
  return async (incoming: Incoming): Promise<InviteAnswer> => {
    const opened = await openRequest(incoming, "mcptt", context);
    const { client, parts, info } = opened;
    if (info.requestType === PRIVATE) return invitePrivately(incoming, opened, context);
    const { user } = client;
    const { requestUri, requestType } = info;
    if (requestUri === undefined || !SESSION_TYPES.includes(requestType ?? "")) {
      throw new SignallingRefusal("BAD_BODY", "mcptt-info names no group, or no group session");
    }
    const offer = readOrRefuse(() => readCallSdp(needPart(parts, MEDIA.sdp)));
    const { priority, receiveOnly, group = {} } = await requireMember(context, requestUri, user, "mcptt");
    requireProtected(requestUri, group);
    const { maxParticipants, hangTimer } = group;
    const { media, floor, speech, queueing, webSocket } = offer;
    for (const address of webSocket === undefined ? [media, floor] : []) {
      const fault = targets.mediaFault(address, incoming.flow);
      if (fault !== undefined) throw new SignallingRefusal("MEDIA_TARGET", fault);
    }
    const joining = {
      user,
      media,
      floor,
      control: client,
      priority,
      ...defined({ speech }),
      ...(webSocket && { webSocket: true }),
      ...defined({ receiveOnly, queueing, maxParticipants }),
      // A chat goes on until all have left.
      ...(hangTimer !== undefined && requestType === "prearranged" && { hangTimer }),
    };
    const claim = await context.cluster?.claim(requestUri);
    if (claim?.where === "nowhere") throw new SignallingRefusal("CLUSTER_UNAVAILABLE", requestUri);
    if (claim?.where === "elsewhere") return redirect(incoming, claim.contacts);
    const answer = await sessions
      .join(requestUri, joining)
      .catch((error: unknown) => {
        throw refusalOf(error);
      })
      .finally(() => claim?.done());
    if (claim?.holds() === false) {
      sessions.leave(requestUri, user, client);
      throw new SignallingRefusal("CLUSTER_UNAVAILABLE", requestUri);
    }
    // The binding may have ended while the ports were opened.
    if (!context.clients.has(client)) {
      sessions.leave(requestUri, user, client);
      throw new SignallingRefusal("NOT_BOUND", user);
    }
    context.count("call_joined");
    return {
      status: 200,
      contentType: MEDIA.sdp,
      body: writeCallSdp(answer, new DataView(random(4).buffer).getUint32(0)),
      timer: context.config.sessionTimer,
      proves: (request) => isOf(user, request, context),
      accepted: (session) => sessions.opened(requestUri, user, session),
      onEnd: () => sessions.leave(requestUri, user, client),
    };
  };
}

const UNPROTECTED = {
  "protect-media": "PROTECT_MEDIA_FALSE",
  "protect-floor-control-signalling": "PROTECT_FLOOR_CONTROL_SIGNALLING_FALSE",
} as const;

/** Decision D-180: no call is in clear, and a group that would have one has none. */
function requireProtected(groupUri: string, { unprotected: [element] = [] }: GroupRules): void {
  if (element !== undefined) throw new SignallingRefusal(UNPROTECTED[element], groupUri);
}

/** RFC 3261 8.1.3.4: the process that serves the group, by the transport that the client has. */
function redirect({ request, flow }: Incoming, contacts: Contacts): InviteAnswer {
  const uri = contacts[flow.transport.toLowerCase()];
  if (uri === undefined)
    throw new SignallingRefusal("CLUSTER_UNAVAILABLE", `no ${flow.transport} at its process`);
  const isSecure = request.uri.startsWith("sips:");
  const target = isSecure ? uri.replace("sip:", "sips:").replace(";transport=tls", "") : uri;
  return { status: 302, headers: (headers) => void headers.set(CONTACT, nameAddress(target)) };
}

/** A request of the call that did not come on its flow. */
async function isOf(user: string, request: SipRequest, context: SignallingContext): Promise<boolean> {
  return provenBy(request, [], context).then(
    (users) => users?.includes(user) ?? false,
    () => false,
  );
}

function refusalOf(error: unknown): unknown {
  if (!(error instanceof MikeySakkeError)) return error;
  if (error.code === "TOO_MANY_LEGS" || error.code === "TOO_MANY_SESSIONS") {
    return new SignallingRefusal("TOO_MANY", error.message, error);
  }
  if (error.code === "CALL_FULL") return new SignallingRefusal("CALL_FULL", error.message, error);
  if (error.code === "NO_COMMON_SPEECH")
    return new SignallingRefusal("NO_COMMON_SPEECH", error.message, error);
  return error.code === "BAD_ADDRESS" || error.code === "NO_WEB_SOCKET"
    ? new SignallingRefusal("BAD_SDP", error.message, error)
    : error;
}
