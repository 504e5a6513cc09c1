/** Short data to a group and from it (TS 24.282 9.2): signalling payload under the CSK, data payload under the GMK. */
import { toHex } from "../../../bindings/bytes.ts";
import { MikeySakkeError } from "../../../bindings/errors.ts";
import { utf8 } from "../../../bindings/index.ts";
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
  MEDIA,
  mediaTypeOf,
  type Part,
  readMcdataInfo,
  writeMcdataInfo,
  writeMultipart,
} from "../../../transport/group-xml/index.ts";
import { openSignalling, sealSignalling } from "../../../transport/signalling-xml/index.ts";
import { withToken } from "./authorised.ts";
import { McxRefusedError } from "./binding.ts";
import type { HeldControlKeys } from "./held-control-keys.ts";
import type { McxClientOptions, ReceivedData } from "./options.ts";

const GROUP_SDS = "group-sds";

/** @throws {McxRefusedError}; SIP transport errors; usage `NO_GROUP_KEY`, `NO_CONTROL_KEY`, `BAD_MCDATA_PAYLOAD` */
export async function sendData(
  options: McxClientOptions,
  held: HeldControlKeys,
  groupUri: string,
  payloads: readonly McDataPayload[],
): Promise<void> {
  const { endpoint, userUri, mcxUri, sipUri, random, now, token, groupKeys } = options;
  const [csk, gmk] = [held.sending(), groupKeys(groupUri).sending()];
  if (csk === undefined) throw usage("NO_CONTROL_KEY", "no CSK is uploaded");
  if (gmk === undefined) throw usage("NO_GROUP_KEY", "no GMK of the group is active");
  const at = now();
  const signalling = encodeSdsSignalling({
    dateTime: Math.floor(at / 1000),
    conversationId: random(MCDATA_ID_BYTES),
    messageId: random(MCDATA_ID_BYTES),
  });
  const info = writeMcdataInfo({ requestType: GROUP_SDS, requestUri: groupUri, callingUser: userUri });
  const sealing = { now: at, random };
  const parts: Part[] = [
    { contentType: MEDIA.mcdataInfo, body: utf8(info) },
    { contentType: MCDATA_MEDIA_TYPES.SIGNALLING, body: await sealMcData(csk, signalling, sealing) },
    {
      contentType: MCDATA_MEDIA_TYPES.PAYLOAD,
      body: await sealMcData(gmk, encodeDataPayload(payloads), sealing),
    },
  ];
  const { contentType, body } = writeMultipart(await sealSignalling(parts, held.xml.sending, { random }));
  const headers = await withToken(token);
  const request = { method: "MESSAGE", uri: sipUri, from: userUri, to: mcxUri, contentType, body, headers };
  const response = await endpoint.request(request);
  if (response.status >= 300) throw new McxRefusedError("MESSAGE", response);
}

/** Parts of a MESSAGE of the server. Verification and codec errors say what was wrong. */
export async function openData(
  { groupKeys, userUri }: McxClientOptions,
  held: HeldControlKeys,
  parts: readonly Part[],
): Promise<ReceivedData> {
  const opened = await openSignalling(parts, held.xml);
  const part = (type: string) => {
    const body = opened.parts.find(({ contentType }) => mediaTypeOf(contentType) === type)?.body;
    if (body === undefined) throw refused(`no part ${type}`);
    return body;
  };
  const info = readMcdataInfo(part(MEDIA.mcdataInfo));
  const { callingGroup, callingUser, requestUri, requestType } = info;
  if (requestType !== GROUP_SDS || requestUri !== userUri || callingGroup === undefined) {
    throw refused("not data of a group for this user");
  }
  const signalling = await openMcData(part(MCDATA_MEDIA_TYPES.SIGNALLING), (keyId) => held.receiving(keyId));
  const sds = decodeSdsSignalling(signalling.message);
  const payload = part(MCDATA_MEDIA_TYPES.PAYLOAD);
  if (!isProtectedMcData(payload)) throw refused("the payload is not protected");
  const keys = groupKeys(callingGroup);
  const { message } = await openMcData(payload, (keyId) => keys.receiving(keyId));
  return {
    groupUri: callingGroup,
    from: callingUser ?? "",
    dateTime: sds.dateTime,
    conversationId: toHex(sds.conversationId),
    messageId: toHex(sds.messageId),
    payloads: decodeDataPayload(message),
  };
}

function usage(code: string, text: string): MikeySakkeError {
  return new MikeySakkeError("usage", code, text);
}

function refused(text: string): MikeySakkeError {
  return new MikeySakkeError("verification", "MCDATA_REFUSED", `MCData message: ${text}`);
}
