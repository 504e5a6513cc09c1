/** Group calls (TS 24.379 10.1): an INVITE of a member joins the session of the group, a BYE leaves it. */
import { MikeySakkeError } from "../../../bindings/errors.ts";
import { MEDIA, readMcpttInfo } from "../../../transport/group-xml/index.ts";
import { readCallSdp, writeCallSdp } from "../../../transport/sdp/call.ts";
import type { Incoming, InviteAnswer } from "../../../transport/sip/index.ts";
import type { SignallingContext } from "./context.ts";
import { openRequest, readOrRefuse, requireMember } from "./opened.ts";
import { SignallingRefusal } from "./refusal.ts";
import { needPart } from "./request.ts";

const SESSION_TYPES = ["prearranged", "chat"];

export function inviteHandler(context: SignallingContext) {
  const { sessions, random } = context;
  return async ({ request }: Incoming): Promise<InviteAnswer> => {
    const { client, parts } = await openRequest(request, context);
    const { user } = client;
    const { requestUri, requestType } = readOrRefuse(() => readMcpttInfo(needPart(parts, MEDIA.mcpttInfo)));
    if (requestUri === undefined || !SESSION_TYPES.includes(requestType ?? "")) {
      throw new SignallingRefusal("BAD_BODY", "mcptt-info names no group, or no group session");
    }
    const offer = readOrRefuse(() => readCallSdp(needPart(parts, MEDIA.sdp)));
    const { priority, receiveOnly } = await requireMember(context, requestUri, user);
    const { media, floor } = offer;
    const joining = { user, media, floor, control: client, priority, ...(receiveOnly && { receiveOnly }) };
    const answer = await sessions.join(requestUri, joining).catch((error: unknown) => {
      throw refusalOf(error);
    });
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
      accepted: (session) => sessions.opened(requestUri, user, session),
      onEnd: () => sessions.leave(requestUri, user, client),
    };
  };
}

function refusalOf(error: unknown): unknown {
  if (!(error instanceof MikeySakkeError)) return error;
  if (error.code === "TOO_MANY_LEGS" || error.code === "TOO_MANY_SESSIONS") {
    return new SignallingRefusal("TOO_MANY", error.message, error);
  }
  if (error.code === "ADDRESS_IN_USE") return new SignallingRefusal("ADDRESS_IN_USE", error.message, error);
  return error.code === "BAD_ADDRESS" ? new SignallingRefusal("BAD_SDP", error.message, error) : error;
}
