/** Notifications of what became of a message or a file (TS 24.282 12.2): a MESSAGE without a data payload, by way of the server. */
import { fromHex, toHex } from "../../../base/bytes.ts";
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import {
  decodeNotification,
  encodeNotification,
  MCDATA_MEDIA_TYPES,
  type McDataNotification,
  sealMcData,
} from "../../../bindings/mcdata/index.ts";
import {
  MCDATA_REQUESTS,
  MEDIA,
  type ServiceInfo,
  writeMcdataInfo,
} from "../../../documents/group-xml/index.ts";
import { senderOf } from "./authorised.ts";
import { type Binding, McxRefusedError } from "./binding.ts";
import { sealRequest } from "./bound-request.ts";
import type { McxClientOptions, ReceivedData } from "./options.ts";

type NotifiedOf = Pick<ReceivedData, "from" | "conversationId" | "messageId"> & {
  readonly groupUri: string | undefined;
};

/**
 * Tells the sender of a message what became of it here.
 *
 * @throws {McxRefusedError}; SIP transport errors; usage `NO_CONTROL_KEY`
 */
export async function notifyOf(
  options: McxClientOptions,
  binding: Binding | undefined,
  { groupUri, from, conversationId, messageId }: NotifiedOf,
  { of, disposition }: Pick<McDataNotification, "of" | "disposition">,
): Promise<void> {
  const dateTime = Math.floor(options.now() / 1000);
  const ids = { conversationId: fromHex(conversationId), messageId: fromHex(messageId) };
  const info = {
    requestType: MCDATA_REQUESTS.NOTIFY,
    requestUri: from,
    callingUser: options.userUri,
    ...defined({ callingGroup: groupUri }),
  };
  const signalling = encodeNotification({ of, disposition, dateTime, ...ids });
  await tellServer(options, binding, { info, signalling });
}

/** A notification, as the event that it is. Codec errors as `decodeNotification`. */
export function readNotification(
  { callingGroup = "", callingUser = "" }: ServiceInfo,
  signalling: Uint8Array,
) {
  const { of, disposition, dateTime, conversationId, messageId } = decodeNotification(signalling);
  return {
    name: { conversationId, messageId, disposition },
    event: {
      type: of === "sds" ? ("data-notification" as const) : ("file-notification" as const),
      groupUri: callingGroup,
      from: callingUser,
      disposition,
      dateTime,
      conversationId: toHex(conversationId),
      messageId: toHex(messageId),
    },
  };
}

/**
 * Sends a MESSAGE with a signalling payload under the CSK, and perhaps a key for its receiver.
 *
 * @throws {McxRefusedError}; SIP transport errors; usage `NO_CONTROL_KEY`
 */
export async function tellServer(
  options: McxClientOptions,
  binding: Binding | undefined,
  {
    info,
    signalling,
    mikey,
  }: { readonly info: ServiceInfo; readonly signalling: Uint8Array; readonly mikey?: Uint8Array },
): Promise<void> {
  const csk = binding?.held.sending();
  if (binding === undefined || csk === undefined) {
    throw new MikeySakkeError("usage", "NO_CONTROL_KEY", "no CSK is uploaded");
  }
  const { endpoint, mcxUri, random, now } = options;
  const body = await sealMcData(csk, signalling, { now: now(), random });
  const request = await sealRequest(options, binding.held, {
    method: "MESSAGE",
    contentType: MEDIA.mcdataInfo,
    info: (ofRequest) => writeMcdataInfo({ ...info, binding: ofRequest }),
    parts: [
      { contentType: MCDATA_MEDIA_TYPES.SIGNALLING, body },
      ...(mikey === undefined ? [] : [{ contentType: MEDIA.mikey, body: mikey }]),
    ],
  });
  const target = { method: "MESSAGE", ...binding.target, to: mcxUri };
  const response = await endpoint.request({ ...target, ...request, ...(await senderOf(options)) });
  if (response.status >= 300) throw new McxRefusedError("MESSAGE", response);
}
