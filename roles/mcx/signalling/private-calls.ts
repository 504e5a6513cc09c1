/**
 * Private calls (TS 24.379 11.1.1): the INVITE of a caller becomes one to a client of the callee. The I_MESSAGE with the PCK
 * passes as it is, to the only one who can open it (TS 33.180 5.6).
 */

import { toHex } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { utf8 } from "../../../bindings/index.ts";
import {
  MEDIA,
  type Part,
  readResourceLists,
  writeMcpttInfo,
  writeMultipart,
} from "../../../documents/group-xml/index.ts";
import { type CallDescription, readCallSdp, writeCallSdp } from "../../../documents/sdp/call.ts";
import { digestOfUnsigned, sealSignalling } from "../../../documents/signalling-xml/index.ts";
import {
  type Incoming,
  type InviteAnswer,
  type InviteResult,
  type SipResponse,
  WARNING,
} from "../../../transport/sip/index.ts";
import type { PrivateSession } from "../session/private-sessions.ts";
import type { BoundClient } from "./clients.ts";
import type { SignallingContext } from "./context.ts";
import { type OpenedRequest, readOrRefuse } from "./opened.ts";
import { needPart, partOf, provenBy } from "./request.ts";
import { SignallingRefusal } from "./signalling-refusal.ts";

export const PRIVATE = "private";

/** Milliseconds that the user of the callee may take to answer. */
const RINGING_MS = 60_000;
const ID_BYTES = 16;

export async function invitePrivately(
  incoming: Incoming,
  { client: caller, parts, info }: OpenedRequest,
  context: SignallingContext,
): Promise<InviteAnswer> {
  const offer = readOrRefuse(() => readCallSdp(needPart(parts, MEDIA.sdp)));
  if (offer.mikey === undefined) throw new SignallingRefusal("PCK_MISSING", caller.user);
  if (offer.webSocket === undefined) requireTarget(offer, incoming.flow, context);
  const callee = await boundCallee(calleeOf(parts, info.requestUri), caller, context);
  const session = await context.privateSessions.open(caller.user).catch((error: unknown) => {
    if (!(error instanceof MikeySakkeError)) throw error;
    throw new SignallingRefusal("TOO_MANY", error.message, error);
  });
  let leg: ReturnType<PrivateSession["connect"]>;
  try {
    session.claim(caller);
    if (offer.webSocket !== undefined) {
      leg = session.connect();
      if (leg === undefined)
        throw new SignallingRefusal("BAD_SDP", "media are not taken over WebSockets here");
    }
    const { response, dialog } = await callOn(session, { caller, callee, offer }, context);
    if (dialog === undefined) {
      leg?.close();
      await session.end();
      context.count("private_call_refused");
      return refusedBy(response);
    }
    session.opened(callee, dialog);
    const answer = readOrRefuse(() => readCallSdp(response.body));
    requireTarget(answer, callee.flow, context);
    // One side may have gone meanwhile.
    if (session.isOver || !context.clients.has(caller)) throw new SignallingRefusal("NOT_BOUND", caller.user);
    session.join({ ...offer, user: caller.user, client: caller, leg });
    session.join({ ...answer, user: callee.user, client: callee });
    context.count("private_call_begun");
    return {
      status: 200,
      contentType: MEDIA.sdp,
      body: writeCallSdp(
        {
          ...session.describe(offer.queueing),
          speech: speechOf(answer),
          ...(leg && { webSocket: { uri: leg.uri } }),
        },
        idOf(context),
      ),
      timer: context.config.sessionTimer,
      proves: (request) =>
        provenBy(request, [], context).then(
          (users) => users?.includes(caller.user) ?? false,
          () => false,
        ),
      accepted: (own) => session.opened(caller, own),
      onEnd: () => void session.hangUp(),
    };
  } catch (error) {
    leg?.close();
    await session.hangUp();
    if (!(error instanceof MikeySakkeError) || error instanceof SignallingRefusal) throw error;
    throw new SignallingRefusal("BAD_SDP", error.message, error);
  }
}

/** The standard has the callee in a list of one; our client names them where they are encrypted. */
function calleeOf(parts: readonly Part[], requestUri: string | undefined): string {
  const list = partOf(parts, MEDIA.resourceLists);
  const listed = list && readOrRefuse(() => readResourceLists(list));
  const callees = listed ?? (requestUri === undefined ? [] : [requestUri]);
  if (callees.length === 1) return callees[0]!;
  throw new SignallingRefusal("BAD_BODY", `a private call to ${callees.length} users, must be one`);
}

/** The client of the callee that was bound last. Who asks for users that are not there may do so only so often. */
async function boundCallee(
  uri: string,
  caller: BoundClient,
  { clients, outsiders, clock }: SignallingContext,
): Promise<BoundClient> {
  const { user } = caller;
  if (!outsiders.may(user)) throw new SignallingRefusal("TOO_MANY", `users who are not there, of ${user}`);
  const askedAt = clock.now();
  const [callee] = clients.of(uri).filter((client) => client !== caller);
  if (callee !== undefined && callee.user !== user) return callee;
  await outsiders.guessed(user, askedAt);
  throw new SignallingRefusal("CALLEE_NOT_BOUND", `${uri}, called by ${user}`);
}

function requireTarget(
  { media, floor }: CallDescription,
  flow: Incoming["flow"],
  { targets }: SignallingContext,
): void {
  for (const address of [media, floor]) {
    const fault = targets.mediaFault(address, flow);
    if (fault !== undefined) throw new SignallingRefusal("MEDIA_TARGET", fault);
  }
}

interface Called {
  readonly caller: BoundClient;
  readonly callee: BoundClient;
  readonly offer: CallDescription;
}

/** The INVITE to the callee, with the addresses of the server and the caller's I_MESSAGE. */
async function callOn(
  session: PrivateSession,
  { caller, callee, offer }: Called,
  context: SignallingContext,
): Promise<{ readonly response: SipResponse; readonly dialog: InviteResult["session"] }> {
  const { endpoint, config, random, now } = context;
  session.claim(callee);
  const ids = { callId: toHex(random(ID_BYTES)), fromTag: toHex(random(ID_BYTES)) };
  const described = { ...session.describe(), mikey: offer.mikey!, speech: speechOf(offer) };
  const sdp = { contentType: MEDIA.sdp, body: writeCallSdp(described, idOf(context)) };
  const info = writeMcpttInfo({
    requestType: PRIVATE,
    requestUri: callee.user,
    callingUser: caller.user,
    binding: { ...ids, method: "INVITE", time: now(), digest: digestOfUnsigned([sdp]) },
  });
  const whole = [{ contentType: MEDIA.mcpttInfo, body: utf8(info) }, sdp];
  const { contentType, body } = writeMultipart(await sealSignalling(whole, callee.xml.sending, { random }));
  const to = callee.asserted[0];
  const answer = endpoint.invite({
    uri: to ?? callee.contact,
    from: config.mcxUri,
    to: to ?? callee.user,
    contentType,
    body,
    ids,
    description: sdp,
    peer: callee.flow,
    timer: config.sessionTimer,
    onEnd: () => void session.hangUp(),
  });
  const { response, session: dialog } = await answered(answer, callee, context);
  return { response, dialog };
}

/** An answer that comes too late begins nothing. */
async function answered(
  answer: Promise<InviteResult>,
  callee: BoundClient,
  { clock }: SignallingContext,
): Promise<InviteResult> {
  let isLate = false;
  const silence = new SignallingRefusal("CALLEE_SILENT", callee.user);
  return new Promise((resolve, reject) => {
    const cancel = clock.after(RINGING_MS, () => {
      isLate = true;
      reject(silence);
    });
    answer.then(
      (result) => {
        cancel();
        if (isLate) void result.session?.bye();
        else resolve(result);
      },
      () => {
        cancel();
        reject(silence);
      },
    );
  });
}

/** The caller is told what the callee has said, but for what is between the callee and this server. */
function refusedBy({ status, headers: said }: SipResponse): InviteAnswer {
  const isForCaller = status >= 400 && status < 700 && status !== 401 && status !== 407;
  return {
    status: isForCaller ? status : 480,
    headers: (headers) => void headers.set(WARNING, ...said.all(WARNING)),
  };
}

function speechOf({ speech = [] }: CallDescription) {
  return speech;
}

function idOf({ random }: SignallingContext): number {
  return new DataView(random(4).buffer).getUint32(0);
}
