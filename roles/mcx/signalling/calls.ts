/**
 * Group calls with speech (TS 24.379 10.1) or video (TS 24.281 9.2): an INVITE of a member joins the session of the group, a BYE
 * leaves it.
 */
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { MEDIA } from "../../../documents/group-xml/index.ts";
import { readCallSdp, writeCallSdp } from "../../../documents/sdp/call.ts";
import { readVideoCallSdp, writeVideoCallSdp } from "../../../documents/sdp/video-call.ts";
import type { Contacts } from "../../../store/index.ts";
import type { DatagramAddress } from "../../../transport/datagram/ports.ts";
import {
  CONTACT,
  type Incoming,
  type InviteAnswer,
  nameAddress,
  type SipRequest,
} from "../../../transport/sip/index.ts";
import { CALL_PROTECTIONS, type CallService, type GroupRules } from "../common/directory.ts";
import type { CallMember, GroupCalls } from "../session/group-calls.ts";
import type { SignallingContext } from "./context.ts";
import { type OpenedRequest, openRequest, readOrRefuse, requireMember } from "./opened.ts";
import { invitePrivately, PRIVATE } from "./private-calls.ts";
import { needPart, partOf, partsOf, provenBy } from "./request.ts";
import { SignallingRefusal } from "./signalling-refusal.ts";

const SESSION_TYPES = ["prearranged", "chat"];

export function inviteHandler(context: SignallingContext) {
  const { sessions, videoSessions } = context;
  return async (incoming: Incoming): Promise<InviteAnswer> => {
    const service = serviceOf(incoming, context);
    const opened = await openRequest(incoming, service, context);
    const sdp = () => needPart(opened.parts, MEDIA.sdp);
    if (service === "mcvideo") {
      const offer = readOrRefuse(() => readVideoCallSdp(sdp()));
      const { video, audio, control, queueing } = offer;
      return join(incoming, opened, context, {
        service,
        sessions: videoSessions,
        addresses: [video.address, control, ...(audio === undefined ? [] : [audio.address])],
        memberOf: (member) => ({
          ...member,
          offer,
          media: video.address,
          floor: control,
          ssrcs: { video: video.ssrc, voice: audio?.ssrc },
          ...defined({ queueing }),
        }),
        write: writeVideoCallSdp,
      });
    }
    if (opened.info.requestType === PRIVATE) return invitePrivately(incoming, opened, context);
    const offer = readOrRefuse(() => readCallSdp(sdp()));
    const { media, floor, speech, queueing, webSocket } = offer;
    return join(incoming, opened, context, {
      service,
      sessions,
      addresses: webSocket === undefined ? [media, floor] : [],
      memberOf: (member) => ({
        ...member,
        media,
        floor,
        ...defined({ speech, queueing }),
        ...(webSocket && { webSocket: true }),
      }),
      write: writeCallSdp,
    });
  };
}

/** The service whose info document the request has: that of MCPTT where it has none. */
function serviceOf({ request }: Incoming, { config }: SignallingContext): CallService {
  const parts = partsOf(request, config.limits.bodyBytes);
  return partOf(parts, MEDIA.mcvideoInfo) === undefined ? "mcptt" : "mcvideo";
}

/** How members join the calls of a service. */
interface Joining<M extends CallMember, A> {
  readonly service: CallService;
  readonly sessions: GroupCalls<M, unknown, A>;
  /** The addresses that media and their control are to go to. */
  readonly addresses: readonly DatagramAddress[];
  readonly memberOf: (member: Omit<CallMember, "media" | "floor">) => M;
  readonly write: (answer: A, id: number) => Uint8Array;
}

async function join<M extends CallMember, A>(
  incoming: Incoming,
  { client, info }: OpenedRequest,
  context: SignallingContext,
  { service, sessions, addresses, memberOf, write }: Joining<M, A>,
): Promise<InviteAnswer> {
  const { random, targets } = context;
  const { user } = client;
  const { requestUri, requestType } = info;
  if (requestUri === undefined || !SESSION_TYPES.includes(requestType ?? "")) {
    throw new SignallingRefusal("BAD_BODY", `${service}-info names no group, or no group session`);
  }
  const { priority, receiveOnly, group = {} } = await requireMember(context, requestUri, user, service);
  requireProtected(requestUri, service, group);
  const { maxParticipants, hangTimer } = group;
  for (const address of addresses) {
    const fault = targets.mediaFault(address, incoming.flow);
    if (fault !== undefined) throw new SignallingRefusal("MEDIA_TARGET", fault);
  }
  const sdpId = new DataView(random(4).buffer).getUint32(0);
  const joining = memberOf({
    user,
    sdpId,
    control: client,
    priority,
    ...defined({ receiveOnly, maxParticipants }),
    // A chat goes on until all have left.
    ...(hangTimer !== undefined && requestType === "prearranged" && { hangTimer }),
  });
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
  context.count(service === "mcvideo" ? "video_call_joined" : "call_joined");
  return {
    status: 200,
    contentType: MEDIA.sdp,
    body: write(answer, sdpId),
    timer: context.config.sessionTimer,
    proves: (request) => isOf(user, request, context),
    accepted: (session) => sessions.opened(requestUri, user, session),
    onEnd: () => sessions.leave(requestUri, user, client),
  };
}

const UNPROTECTED = {
  "protect-media": "PROTECT_MEDIA_FALSE",
  "protect-floor-control-signalling": "PROTECT_FLOOR_CONTROL_SIGNALLING_FALSE",
  "mcvideo-protect-media": "MCVIDEO_PROTECT_MEDIA_FALSE",
  "mcvideo-protect-transmission-control": "MCVIDEO_PROTECT_TRANSMISSION_CONTROL_FALSE",
} as const;

/** Decision D-180: no call is in clear, and a group that would have one has none. */
function requireProtected(groupUri: string, service: CallService, { unprotected = [] }: GroupRules): void {
  const protections: readonly string[] = CALL_PROTECTIONS[service];
  const element = unprotected.find((name) => protections.includes(name));
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
  if (isAsItIs(error.code)) return new SignallingRefusal(error.code, error.message, error);
  return error.code === "BAD_ADDRESS" || error.code === "NO_WEB_SOCKET"
    ? new SignallingRefusal("BAD_SDP", error.message, error)
    : error;
}

const AS_IT_IS = ["CALL_FULL", "NO_COMMON_SPEECH", "NO_COMMON_VIDEO"] as const;

function isAsItIs(code: string): code is (typeof AS_IT_IS)[number] {
  return (AS_IT_IS as readonly string[]).includes(code);
}
