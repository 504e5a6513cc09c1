/** Short data to a group and from it (TS 24.282 9.2): signalling payload under the CSK, data payload under the GMK. */
import { toHex } from "../../../base/bytes.ts";
import { defined } from "../../../base/defined.ts";
import { type ErrorCode, MikeySakkeError } from "../../../base/errors.ts";
import {
  decodeDataPayload,
  decodeSdsSignalling,
  encodeDataPayload,
  encodeSdsSignalling,
  isProtectedMcData,
  MCDATA_ID_BYTES,
  MCDATA_MEDIA_TYPES,
  type McDataPayload,
  openMcData,
  sealMcData,
} from "../../../bindings/mcdata/index.ts";
import {
  MCDATA_REQUESTS,
  MEDIA,
  mediaTypeOf,
  type Part,
  readMcdataInfo,
  type ServiceInfo,
  writeMcdataInfo,
} from "../../../documents/group-xml/index.ts";
import { openSignalling, type XmlKeySource } from "../../../documents/signalling-xml/index.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import type { SeenMessages } from "../../call/seen-messages.ts";
import { senderOf } from "./authorised.ts";
import { type Binding, McxRefusedError } from "./binding.ts";
import { sealRequest } from "./bound-request.ts";
import { readNotification } from "./notifying.ts";
import type { McxClientEvent, McxClientOptions, SendDataOptions, SentData } from "./options.ts";

/** `readFileMessage` of a client; those without files do not need it. */
export type FileReader = (
  info: ServiceInfo,
  parts: { readonly signalling: Uint8Array; readonly mikey: Uint8Array | undefined },
) => ReturnType<typeof import("./files.ts").readFileMessage>;

/**
 * Gives the identifiers of the message, which notifications quote.
 *
 * @throws {McxRefusedError}; SIP transport errors; usage `FIELD_OUT_OF_RANGE`, `NO_GROUP_KEY`, `NO_CONTROL_KEY`, `BAD_MCDATA_PAYLOAD`
 */
export async function sendData(
  options: McxClientOptions,
  binding: Binding | undefined,
  groupUri: string,
  payloads: readonly McDataPayload[],
  { dispositionRequest }: SendDataOptions,
): Promise<SentData> {
  const { endpoint, userUri, mcxUri, random, now, groupKeys } = options;
  const [csk, gmk] = [binding?.held.sending(), groupKeys(groupUri).sending()];
  if (binding === undefined || csk === undefined) throw usage("NO_CONTROL_KEY", "no CSK is uploaded");
  if (gmk === undefined) throw usage("NO_GROUP_KEY", "no GMK of the group is active");
  const at = now();
  const [conversationId, messageId] = [random(MCDATA_ID_BYTES), random(MCDATA_ID_BYTES)];
  const dateTime = Math.floor(at / 1000);
  const signalling = encodeSdsSignalling({
    dateTime,
    conversationId,
    messageId,
    ...defined({ dispositionRequest }),
  });
  const info = { requestType: MCDATA_REQUESTS.GROUP_SDS, requestUri: groupUri, callingUser: userUri };
  const sealing = { now: at, random };
  const parts: Part[] = [
    { contentType: MCDATA_MEDIA_TYPES.SIGNALLING, body: await sealMcData(csk, signalling, sealing) },
    {
      contentType: MCDATA_MEDIA_TYPES.PAYLOAD,
      body: await sealMcData(gmk, encodeDataPayload(payloads), sealing),
    },
  ];
  const request = await sealRequest(options, binding.held, {
    method: "MESSAGE",
    contentType: MEDIA.mcdataInfo,
    info: (ofRequest) => writeMcdataInfo({ ...info, binding: ofRequest }),
    parts,
  });
  const target = { method: "MESSAGE", ...binding.target, to: mcxUri };
  const response = await endpoint.request({ ...target, ...request, ...(await senderOf(options)) });
  if (response.status >= 300) throw new McxRefusedError("MESSAGE", response);
  return { conversationId: toHex(conversationId), messageId: toHex(messageId) };
}

/** Parts of a MESSAGE of the server; undefined: it came before. Verification and codec errors say what was wrong. */
export async function openData(
  options: McxClientOptions,
  held: XmlKeySource & Pick<ControlKeys, "receiving">,
  parts: readonly Part[],
  seen: SeenMessages,
  readFile: FileReader | undefined,
): Promise<McxClientEvent | undefined> {
  const { groupKeys, userUri, now } = options;
  const opened = await openSignalling(parts, held);
  const find = (type: string) =>
    opened.parts.find(({ contentType }) => mediaTypeOf(contentType) === type)?.body;
  const part = (type: string) => {
    const body = find(type);
    if (body === undefined) throw refused(`no part ${type}`);
    return body;
  };
  const info = readMcdataInfo(part(MEDIA.mcdataInfo));
  const { callingGroup, callingUser, requestUri, requestType } = info;
  if (requestUri !== userUri) throw refused("not data for this user");
  const signalling = await openMcData(part(MCDATA_MEDIA_TYPES.SIGNALLING), (keyId) => held.receiving(keyId));
  if (requestType === MCDATA_REQUESTS.NOTIFY) {
    const { name, event } = readNotification(info, signalling.message);
    return seen.enter(event.from, name, now()) ? event : undefined;
  }
  if (requestType !== MCDATA_REQUESTS.GROUP_SDS) {
    const file = readFile?.(info, { signalling: signalling.message, mikey: find(MEDIA.mikey) });
    if (file === undefined) throw refused(`request-type ${requestType}`);
    const sender = callingUser ?? "";
    if (!seen.enter(sender, file.name, now())) return undefined;
    await file.takeKey?.().catch((error: unknown) => {
      seen.forget(sender, file.name);
      throw error;
    });
    return file.event;
  }
  if (callingGroup === undefined) throw refused("not data of a group");
  const sds = decodeSdsSignalling(signalling.message);
  const payload = part(MCDATA_MEDIA_TYPES.PAYLOAD);
  if (!isProtectedMcData(payload)) throw refused("the payload is not protected");
  const keys = groupKeys(callingGroup);
  const { message } = await openMcData(payload, (keyId) => keys.receiving(keyId));
  const payloads = decodeDataPayload(message);
  const from = callingUser ?? "";
  if (!seen.enter(from, sds, now())) return undefined;
  return {
    type: "data",
    groupUri: callingGroup,
    from,
    dateTime: sds.dateTime,
    conversationId: toHex(sds.conversationId),
    messageId: toHex(sds.messageId),
    ...defined({ dispositionRequest: sds.dispositionRequest }),
    payloads,
  };
}

function usage(code: ErrorCode, text: string): MikeySakkeError {
  return new MikeySakkeError("usage", code, text);
}

function refused(text: string): MikeySakkeError {
  return new MikeySakkeError("verification", "MCDATA_REFUSED", `MCData message: ${text}`);
}
