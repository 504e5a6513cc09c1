/**
 * Short data to a group (TS 24.282 9.2): a MESSAGE whose signalling payload the server opens under the sender's CSK and
 * protects anew for each member; the data payload passes as it is, under a key that the server does not have (TS 33.180 8).
 */
import { MikeySakkeError } from "../../../base/errors.ts";
import { utf8 } from "../../../bindings/index.ts";
import {
  decodeSdsSignalling,
  isProtectedMcData,
  MCDATA_MEDIA_TYPES,
  openMcData,
  sealMcData,
} from "../../../bindings/mcdata/index.ts";
import { MEDIA, type Part, writeMcdataInfo } from "../../../documents/group-xml/index.ts";
import { sealSignalling } from "../../../documents/signalling-xml/index.ts";
import type { Answer, Incoming } from "../../../transport/sip/index.ts";
import type { Sds } from "../cluster/shared-data.ts";
import type { BoundClient } from "./clients.ts";
import { type SignallingContext, tell } from "./context.ts";
import { openRequest, requireMember } from "./opened.ts";
import { SignallingRefusal } from "./refusal.ts";
import { needPart } from "./request.ts";

const GROUP_SDS = "group-sds";
/** Members that are written to at a time. */
const AT_ONCE = 16;

export function messageHandler(context: SignallingContext) {
  return async (incoming: Incoming): Promise<Answer> => {
    const { client, parts, info } = await openRequest(incoming, "mcdata", context);
    const { requestType, requestUri } = info;
    if (requestType !== GROUP_SDS || requestUri === undefined) {
      throw new SignallingRefusal("MCDATA_REFUSED", `request-type ${requestType}`);
    }
    await requireMember(context, requestUri, client.user, "mcdata");
    const payload = needPart(parts, MCDATA_MEDIA_TYPES.PAYLOAD);
    // 8.1: protected from end to end.
    if (!isProtectedMcData(payload)) throw new SignallingRefusal("MCDATA_REFUSED", "a payload in clear");
    const { signalling, name } = await openPayload(needPart(parts, MCDATA_MEDIA_TYPES.SIGNALLING), client);
    if (!context.messages.enter(client.user, name, context.now())) {
      // The sender has missed the answer: the message is on its way.
      context.count("mcdata_repeated");
      return { status: 202 };
    }
    const sds = { group: requestUri, sender: client.user, signalling, payload };
    await context.cluster?.post(sds).catch((cause: unknown) => {
      // When it is sent again, it counts as the first time.
      context.messages.forget(client.user, name);
      throw new SignallingRefusal("CLUSTER_UNAVAILABLE", String(cause), cause);
    });
    context.count("mcdata_taken");
    // 202: on its way to the members.
    return { status: 202, sent: () => void distribute(context, sds) };
  };
}

async function openPayload(octets: Uint8Array, client: BoundClient) {
  try {
    const { message, keyId } = await openMcData(octets, (id) => client.receiving(id));
    const name = decodeSdsSignalling(message);
    client.used(keyId);
    return { signalling: message, name };
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
    throw new SignallingRefusal("MCDATA_REFUSED", error.message, error);
  }
}

/** To the clients that are bound here. */
export async function distribute(context: SignallingContext, sds: Sds): Promise<void> {
  const left = context.clients.all().filter(({ user }) => user !== sds.sender);
  const worker = async () => {
    for (let client = left.pop(); client !== undefined; client = left.pop()) {
      try {
        const member = await context.directory.member(sds.group, client.user);
        if (member !== undefined) await forward(context, sds, client);
      } catch (error) {
        context.count("mcdata_failed");
        context.log.warn(
          { group: sds.group, user: client.user, detail: String(error) },
          "MCData was not brought",
        );
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function forward(context: SignallingContext, sds: Sds, client: BoundClient): Promise<void> {
  const { now, random } = context;
  const csk = client.sending();
  if (csk === undefined) return;
  const info = writeMcdataInfo({
    requestType: GROUP_SDS,
    requestUri: client.user,
    callingUser: sds.sender,
    callingGroup: sds.group,
  });
  const parts: Part[] = [
    { contentType: MEDIA.mcdataInfo, body: utf8(info) },
    {
      contentType: MCDATA_MEDIA_TYPES.SIGNALLING,
      body: await sealMcData(csk, sds.signalling, { now: now(), random }),
    },
    { contentType: MCDATA_MEDIA_TYPES.PAYLOAD, body: sds.payload },
  ];
  const { status } = await tell(context, client, await sealSignalling(parts, client.xml.sending, { random }));
  context.count(status < 300 ? "mcdata_brought" : "mcdata_failed");
}
