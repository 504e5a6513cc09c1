/**
 * Short data to a group (TS 24.282 9.2): a MESSAGE whose signalling payload the server opens under the sender's CSK and
 * protects anew for each member; the data payload passes as it is, under a key that the server does not have (TS 33.180 8).
 */
import { MikeySakkeError } from "../../../bindings/errors.ts";
import { utf8 } from "../../../bindings/index.ts";
import {
  decodeSdsSignalling,
  isProtectedMcData,
  MCDATA_MEDIA_TYPES,
  openMcData,
  sealMcData,
} from "../../../bindings/mcdata/index.ts";
import { MEDIA, type Part, readMcdataInfo, writeMcdataInfo } from "../../../transport/group-xml/index.ts";
import { sealSignalling } from "../../../transport/signalling-xml/index.ts";
import type { Answer, Incoming } from "../../../transport/sip/index.ts";
import type { BoundClient } from "./clients.ts";
import { type SignallingContext, tell } from "./context.ts";
import { openRequest, readOrRefuse, requireMember } from "./opened.ts";
import { SignallingRefusal } from "./refusal.ts";
import { needPart } from "./request.ts";

const GROUP_SDS = "group-sds";
/** Members that are written to at a time. */
const AT_ONCE = 16;

interface Sds {
  readonly group: string;
  readonly sender: string;
  /** In clear. */
  readonly signalling: Uint8Array;
  readonly payload: Uint8Array;
}

export function messageHandler(context: SignallingContext) {
  return async ({ request }: Incoming): Promise<Answer> => {
    const { client, parts } = await openRequest(request, context);
    const { requestType, requestUri } = readOrRefuse(() => readMcdataInfo(needPart(parts, MEDIA.mcdataInfo)));
    if (requestType !== GROUP_SDS || requestUri === undefined) {
      throw new SignallingRefusal("MCDATA_REFUSED", `request-type ${requestType}`);
    }
    await requireMember(context, requestUri, client.user);
    const payload = needPart(parts, MCDATA_MEDIA_TYPES.PAYLOAD);
    // 8.1: protected from end to end.
    if (!isProtectedMcData(payload)) throw new SignallingRefusal("MCDATA_REFUSED", "a payload in clear");
    const signalling = await openPayload(needPart(parts, MCDATA_MEDIA_TYPES.SIGNALLING), client);
    context.count("mcdata_taken");
    const sds = { group: requestUri, sender: client.user, signalling, payload };
    // 202: on its way to the members.
    return { status: 202, sent: () => void distribute(context, sds) };
  };
}

async function openPayload(octets: Uint8Array, client: BoundClient): Promise<Uint8Array> {
  try {
    const { message, keyId } = await openMcData(octets, (id) => client.receiving(id));
    decodeSdsSignalling(message);
    client.used(keyId);
    return message;
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
    throw new SignallingRefusal("MCDATA_REFUSED", error.message, error);
  }
}

async function distribute(context: SignallingContext, sds: Sds): Promise<void> {
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
