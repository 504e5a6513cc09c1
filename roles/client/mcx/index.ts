/** A client of an MCX server: keys of control signalling, group calls and short data over SIP. */
import { MikeySakkeError } from "../../../bindings/errors.ts";
import { ntpFromUnixMs } from "../../../bindings/identity/ntp.ts";
import { DEFAULT_WINDOW_MS, MemoryReceiverState, openMessage } from "../../../bindings/index.ts";
import type { McDataPayload } from "../../../bindings/mcdata/index.ts";
import { MEDIA, mediaTypeOf, type Part, readMultipart } from "../../../transport/group-xml/index.ts";
import { type Answer, CONTENT_TYPE, FROM, type Incoming } from "../../../transport/sip/index.ts";
import { Binding } from "./binding.ts";
import { type CallOptions, type McxCall, placeCall } from "./calling.ts";
import { openData, sendData } from "./data.ts";
import { HeldControlKeys } from "./held-control-keys.ts";
import type { McxClientOptions } from "./options.ts";

export { McxRefusedError } from "./binding.ts";
export type { CallOptions, McxCall } from "./calling.ts";
export type { ControlKeys } from "./control-keys.ts";
export type { McxClientEvent, McxClientOptions, ReceivedData } from "./options.ts";

export interface McxClient {
  /** Uploads a CSK and keeps the binding; again for a new CSK. Rejects with `McxRefusedError` and SIP errors. */
  bind(): Promise<void>;
  /** Joins the call of a group. See `placeCall` for its errors. */
  call(groupUri: string, options?: CallOptions): Promise<McxCall>;
  /** Short data to all members. See `sendData` for its errors. */
  send(groupUri: string, payloads: readonly McDataPayload[]): Promise<void>;
  /** Takes the binding away and clears the keys. Calls are the caller's to end before. */
  close(): Promise<void>;
}

/** As much as a server that is trusted sends. */
const MAX_BODY = 256 << 10;

export function createMcxClient(options: McxClientOptions): McxClient {
  const { endpoint, userUri, random, onEvent } = options;
  const held = new HeldControlKeys(userUri, random);
  const binding = new Binding(options, held);
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
    if (request.headers.need(FROM).uri !== options.mcxUri) {
      throw new MikeySakkeError("verification", "NOT_THE_SERVER", "MESSAGE: not from the MCX server");
    }
    const [contentType = ""] = request.headers.texts(CONTENT_TYPE.name);
    if (request.body.length > MAX_BODY) {
      throw new MikeySakkeError("codec", "TOO_LONG", `MESSAGE: more than ${MAX_BODY} octets`);
    }
    const parts: Part[] = mediaTypeOf(contentType).startsWith("multipart/")
      ? readMultipart(contentType, request.body)
      : [{ contentType, body: request.body }];
    const mikey = parts.find((part) => mediaTypeOf(part.contentType) === MEDIA.mikey);
    if (mikey !== undefined) await takeKey(mikey.body);
    else onEvent?.({ type: "data", ...(await openData(options, held, parts)) });
  }

  /** Key download (TS 33.180 5.8): of the server, for this user. */
  async function takeKey(octets: Uint8Array): Promise<void> {
    // What is older is refused by its T.
    seen.prune(ntpFromUnixMs(options.now() - 2 * DEFAULT_WINDOW_MS));
    const opened = await openMessage(octets, {
      receiver: options.keys().receiver,
      state: seen,
      now: options.now(),
      allow: ["MuSiK", "CSK"],
      authorise: ({ uri }) => uri === options.mcxUri,
      from: options.mcxUri,
    });
    if (opened.outcome !== "accepted") {
      throw new MikeySakkeError("verification", "KEY_REVOKED", "MESSAGE: a key that is revoked");
    }
    held.add(opened.key);
    onEvent?.({ type: "key", kind: opened.key.kind, keyId: opened.key.keyId });
  }

  return {
    bind: () => binding.open(),
    call: (groupUri, callOptions = {}) => placeCall(options, held, groupUri, callOptions),
    send: (groupUri, payloads) => sendData(options, held, groupUri, payloads),
    async close() {
      await binding.close();
      held.destroy();
    },
  };
}

/** 488 is what TS 24.481 has for a message that cannot be taken. */
function refusalOf({ kind }: MikeySakkeError): Answer {
  return { status: kind === "codec" ? 400 : 488 };
}
