/** The client of an MCX server apart from private calls: keys of control signalling, calls of groups, and short data over SIP. */
import { MikeySakkeError } from "../../../base/errors.ts";
import { ntpFromUnixMs } from "../../../bindings/identity/ntp.ts";
import {
  DEFAULT_WINDOW_MS,
  type DeliveredKey,
  MemoryReceiverState,
  openMessage,
} from "../../../bindings/index.ts";
import { MCDATA_MEDIA_TYPES, type McDataPayload } from "../../../bindings/mcdata/index.ts";
import { MEDIA, mediaTypeOf, type Part, readMultipart } from "../../../documents/group-xml/index.ts";
import { type Answer, CONTENT_TYPE, FROM, type Incoming, isSameUri } from "../../../transport/sip/index.ts";
import { SeenMessages } from "../../call/seen-messages.ts";
import { Bindings } from "./bindings.ts";
import {
  type CallOptions,
  type JoinedCall,
  type JoinOptions,
  joinCall,
  type McxCall,
  placeCall,
} from "./calling.ts";
import { type FileReader, openData, sendData } from "./data.ts";
import { notifyOf } from "./notifying.ts";
import type { McxClientOptions, ReceivedData, SendDataOptions, SentData } from "./options.ts";

export interface McxGroupClient {
  /** Uploads a CSK and keeps the binding; again for a new CSK. Rejects with `McxRefusedError` and SIP errors. */
  bind(): Promise<void>;
  /** Joins the call of a group. See `placeCall` for its errors. */
  call(groupUri: string, options?: CallOptions): Promise<McxCall>;
  /** The signalling of it alone: media and floor control are the caller's, as where a page has them in another worker. */
  join(groupUri: string, options: JoinOptions): Promise<JoinedCall>;
  /** Keys of floor control, for calls that were joined: the first of them is the one to send under. They stay here. */
  controlKeys(): readonly DeliveredKey[];
  /** Short data to all members. See `sendData` for its errors. */
  send(
    groupUri: string,
    payloads: readonly McDataPayload[],
    dataOptions?: SendDataOptions,
  ): Promise<SentData>;
  /**
   * Tells the sender of short data what they asked for in its `dispositionRequest`: one of `SDS_DISPOSITIONS`. See `notifyOf` for
   * its errors.
   */
  notify(received: ReceivedData, disposition: number): Promise<void>;
  /** Takes the binding away and clears the keys. Calls are the caller's to end before. */
  close(): Promise<void>;
}

/** As much as a server that is trusted sends. */
const MAX_BODY = 256 << 10;
/** 256,000 messages at most, of some hundred octets each. */
const SEEN_MESSAGES = { senders: 1000, each: 256 };

/** A page that has no private calls and files is smaller by them. `bindings`: those of the same options. */
export function createMcxGroupClient(
  options: McxClientOptions,
  bindings = new Bindings(options),
  readFile?: FileReader,
): McxGroupClient {
  const { endpoint, onEvent } = options;
  const messages = new SeenMessages(SEEN_MESSAGES);
  const seen = new MemoryReceiverState({ maxMessages: 1000, maxKeys: 1000 });
  endpoint.onRequest("MESSAGE", async (incoming) => {
    try {
      await take(incoming);
      return { status: 200 };
    } catch (error) {
      if (!(error instanceof MikeySakkeError)) throw error;
      onEvent?.({ type: "refused", error });
      return refusalOf(error);
    }
  });

  async function take({ request }: Incoming): Promise<void> {
    if (!isSameUri(request.headers.need(FROM).uri, options.mcxUri)) {
      throw new MikeySakkeError("verification", "NOT_THE_SERVER", "MESSAGE: not from the MCX server");
    }
    const [contentType = ""] = request.headers.texts(CONTENT_TYPE.name);
    if (request.body.length > MAX_BODY) {
      throw new MikeySakkeError("codec", "BODY_TOO_LARGE", `MESSAGE: more than ${MAX_BODY} octets`);
    }
    const parts: Part[] = mediaTypeOf(contentType).startsWith("multipart/")
      ? readMultipart(contentType, request.body)
      : [{ contentType, body: request.body }];
    const mikey = parts.find((part) => mediaTypeOf(part.contentType) === MEDIA.mikey);
    // The key of another user comes beside what it is for.
    const isData = parts.some((part) => mediaTypeOf(part.contentType) === MCDATA_MEDIA_TYPES.SIGNALLING);
    if (mikey !== undefined && !isData) await takeKey(mikey.body);
    else await takeData(parts);
  }

  /** A message that comes again is answered as the first time: the server may have missed that answer. */
  async function takeData(parts: readonly Part[]): Promise<void> {
    const event = await openData(options, bindings, parts, messages, readFile);
    if (event !== undefined) onEvent?.(event);
  }

  /** Key download (TS 33.180 5.8): of the server, for this user. */
  async function takeKey(octets: Uint8Array): Promise<void> {
    // A message that is older is refused for its T, so its record is needed no more.
    seen.prune(ntpFromUnixMs(options.now() - 2 * DEFAULT_WINDOW_MS));
    const { receiver, homeKms } = options.keys();
    const serverKms = options.mcxKmsUri ?? homeKms;
    const opened = await openMessage(octets, {
      receiver,
      state: seen,
      now: options.now(),
      allow: ["MuSiK"],
      authorise: ({ uri, kmsUri }) => uri === options.mcxUri && kmsUri === serverKms,
      from: options.mcxUri,
    });
    if (opened.outcome !== "accepted") {
      throw new MikeySakkeError("verification", "KEY_REVOKED", "MESSAGE: a key that is revoked");
    }
    bindings.musiks.add(opened.key);
    onEvent?.({ type: "key", kind: opened.key.kind, keyId: opened.key.keyId });
  }

  return {
    bind: () => bindings.bind(),
    call: (groupUri, callOptions = {}) => placeCall(options, bindings, groupUri, callOptions),
    join: (groupUri, joinOptions) => joinCall(options, bindings, groupUri, joinOptions),
    controlKeys: () => bindings.present?.held.all() ?? [],
    send: (groupUri, payloads, dataOptions = {}) =>
      sendData(options, bindings.present, groupUri, payloads, dataOptions),
    notify: (received, disposition) =>
      notifyOf(options, bindings.present, received, { of: "sds", disposition }),
    close: () => bindings.close(),
  };
}

/** 488 is what TS 24.481 has for a message that cannot be taken. */
function refusalOf({ kind }: MikeySakkeError): Answer {
  return { status: kind === "codec" ? 400 : 488 };
}
