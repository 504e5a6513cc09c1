/**
 * Private calls by way of the server (TS 24.379 11.1.1): an INVITE whose offer has the PCK, sealed to the callee; speech under
 * it, and floor control under the CSK. The server cannot open the PCK.
 */
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { ntpFromUnixMs } from "../../../bindings/identity/ntp.ts";
import { DEFAULT_WINDOW_MS, MemoryReceiverState } from "../../../bindings/index.ts";
import {
  MEDIA,
  mediaTypeOf,
  type Part,
  type RequestBinding,
  readMcpttInfo,
  readMultipart,
  writeMcpttInfo,
} from "../../../documents/group-xml/index.ts";
import { type CallDescription, readCallSdp, writeCallSdp } from "../../../documents/sdp/call.ts";
import { digestOfUnsigned, openSignalling } from "../../../documents/signalling-xml/index.ts";
import type { DatagramPort } from "../../../transport/datagram/ports.ts";
import {
  CALL_ID,
  type Clock,
  CONTENT_TYPE,
  FROM,
  type Incoming,
  type InviteAnswer,
  isSameUri,
  SESSION_TIMER,
  type SessionEnd,
  type SipRequest,
  tagOf,
  WARNING,
} from "../../../transport/sip/index.ts";
import { commonSpeech, G711_CODECS } from "../../call/speech-codec.ts";
import { ServerFloor } from "../calls/floor-with-server.ts";
import { PrivateCall } from "../calls/private-call.ts";
import { openPck, type PrivateCallKey, sealPck } from "../calls/private-call-key.ts";
import { senderOf, withToken } from "./authorised.ts";
import { type Binding, McxRefusedError } from "./binding.ts";
import type { Bindings } from "./bindings.ts";
import { sealRequest } from "./bound-request.ts";
import { CALL_KEEP_ALIVE } from "./calling.ts";
import { hasOneServer, type McxClientOptions, PATIENT_KEEP_ALIVE } from "./options.ts";
import type {
  JoinedPrivateCall,
  JoinUserOptions,
  McxPrivateCall,
  McxPrivateCallHandlers,
  McxPrivateCallOptions,
  OnPrivateCall,
} from "./private-calls.ts";

const PRIVATE = "private";
/** Milliseconds that `onPrivateCall` may take: the server waits a little longer. */
const RINGING_MS = 50_000;
/** RFC 3261 20.43: miscellaneous, with a text for people. */
const MISCELLANEOUS = 399;
/** TS 24.379 4.4.2. */
const KEY_REFUSED = "136 authentication of the MIKEY-SAKKE I_MESSAGE failed";
const SEEN = { maxMessages: 10_000, maxKeys: 10_000 };

/**
 * @throws {McxRefusedError} with the status of the callee or of the server; SIP transport errors; codec `BAD_SDP`; usage
 * `NO_SIGNALLING_KEY` when no CSK is uploaded; as `sealMessage`
 */
export async function callUser(
  options: McxClientOptions,
  bindings: Bindings,
  calleeUri: string,
  { kmsUri, ...handlers }: McxPrivateCallOptions,
): Promise<McxPrivateCall> {
  const { keys, random, now } = options;
  const binding = await bindings.home();
  const callee = { uri: calleeUri, ...defined({ kmsUri }) };
  const key = await sealPck(callee, keys(), { random, now: now() });
  const end = new CallEnd(bindings, binding, handlers);
  let ports: readonly DatagramPort[] = [];
  try {
    ports = await openPorts(options);
    const offer = describe(options, ports, { mikey: key.octets, speech: formatsOf(options) });
    const onEnd = (how: SessionEnd) => void end.over(how);
    const { response, session } = await invite(options, binding, { calleeUri, offer, onEnd });
    if (session === undefined) throw new McxRefusedError("INVITE", response);
    end.session = session;
    const answer = readCallSdp(response.body);
    return end.begin(callOf(options, { binding, key, ports, server: answer, peerUri: calleeUri, handlers }));
  } catch (error) {
    key.pck.destroy();
    await end.session?.bye();
    await Promise.all(ports.map((port) => port.close()));
    throw error;
  }
}

/**
 * Calls a user, with the signalling alone: media and floor control are the caller's, as where a page has them in another worker.
 * Errors as `callUser`.
 */
export async function joinUser(
  options: McxClientOptions,
  bindings: Bindings,
  calleeUri: string,
  { offer, kmsUri, onEnd }: JoinUserOptions,
): Promise<JoinedPrivateCall> {
  const { keys, random, now } = options;
  const binding = await bindings.home();
  const { held } = binding;
  const callee = { uri: calleeUri, ...defined({ kmsUri }) };
  const { pck, octets } = await sealPck(callee, keys(), { random, now: now() });
  let isHeld = false;
  const over = () => {
    pck.destroy();
    if (isHeld) bindings.release(binding);
    isHeld = false;
  };
  try {
    const id = new DataView(random(4).buffer).getUint32(0);
    const { response, session } = await invite(options, binding, {
      calleeUri,
      offer: writeCallSdp({ ...offer, mikey: octets }, id),
      onEnd(how) {
        over();
        onEnd(how);
      },
    });
    if (session === undefined) throw new McxRefusedError("INVITE", response);
    bindings.hold(binding);
    isHeld = true;
    const hangUp = async () => {
      over();
      await session.bye();
    };
    try {
      return { answer: readCallSdp(response.body), pck, control: held, controlSsrc: held.nextSsrc(), hangUp };
    } catch (error) {
      await hangUp();
      throw error;
    }
  } catch (error) {
    over();
    throw error;
  }
}

interface Invited {
  readonly calleeUri: string;
  readonly offer: Uint8Array;
  readonly onEnd: (how: SessionEnd) => void;
}

async function invite(options: McxClientOptions, binding: Binding, { calleeUri, offer, onEnd }: Invited) {
  const { endpoint, userUri, mcxUri, token } = options;
  const info = { requestType: PRIVATE, requestUri: calleeUri, callingUser: userUri };
  const description = { contentType: MEDIA.sdp, body: offer };
  const request = await sealRequest(options, binding.held, {
    method: "INVITE",
    contentType: MEDIA.mcpttInfo,
    info: (ofRequest) => writeMcpttInfo({ ...info, binding: ofRequest }),
    parts: [description],
  });
  const keepAlive = hasOneServer(options) ? PATIENT_KEEP_ALIVE : CALL_KEEP_ALIVE;
  return endpoint.invite({
    ...binding.target,
    to: mcxUri,
    ...request,
    ...(await senderOf(options)),
    description,
    timer: options.sessionTimer ?? SESSION_TIMER,
    keepAlive: options.callKeepAlive ?? keepAlive,
    ...(options.ims === undefined && { prove: () => withToken(token) }),
    onEnd,
  });
}

/** Takes INVITEs of the server. */
export function privateCallHandler(
  options: McxClientOptions,
  bindings: Bindings,
  onPrivateCall: OnPrivateCall,
) {
  const state = new MemoryReceiverState(SEEN);
  return async (incoming: Incoming): Promise<InviteAnswer> => {
    try {
      return await answer(incoming);
    } catch (error) {
      if (!(error instanceof MikeySakkeError)) throw error;
      options.onEvent?.({ type: "refused", error });
      return refusalOf(error);
    }
  };

  async function answer({ request }: Incoming): Promise<InviteAnswer> {
    const { callerUri, offer, binding } = await openInvite(request, options, bindings);
    const { keys, now, clock, codecs = G711_CODECS } = options;
    const speech = commonSpeech(codecs, offer.speech);
    if (speech === undefined) throw bad("speech in no format that there is a codec for");
    // A message that is older is refused for its T, so its record is needed no more.
    state.prune(ntpFromUnixMs(now() - 2 * DEFAULT_WINDOW_MS));
    const { tolerance } = options;
    const opening = { caller: callerUri, keys: keys(), state, tolerance, now: now() };
    const key = await openPck(offer.mikey!, opening);
    let ports: readonly DatagramPort[] = [];
    try {
      const taken = await decided(onPrivateCall(callerUri), clock);
      if (taken === undefined || taken === "late") {
        key.pck.destroy();
        return { status: taken === "late" ? 480 : 486 };
      }
      ports = await openPorts(options);
      const server = { ...offer, speech: [speech] };
      const call = callOf(options, { binding, key, ports, server, peerUri: callerUri, handlers: taken });
      const end = new CallEnd(bindings, binding, taken);
      const placed = end.begin(call);
      return {
        status: 200,
        contentType: MEDIA.sdp,
        body: describe(options, ports, { speech: [speech] }),
        timer: options.sessionTimer ?? SESSION_TIMER,
        accepted(session) {
          end.session = session;
          taken.onBegin(placed);
        },
        onEnd: (how) => void end.over(how),
      };
    } catch (error) {
      key.pck.destroy();
      await Promise.all(ports.map((port) => port.close()));
      throw error;
    }
  }
}

/** A decision that takes too long is none: the server does not wait any more. */
function decided<T>(decision: T | Promise<T>, clock: Clock): Promise<T | "late"> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(RINGING_MS, () => resolve("late"));
    Promise.resolve(decision).then(resolve, reject).finally(cancel);
  });
}

/** Opens what the server asks for, under a CSK of this client and bound to this request. */
async function openInvite(
  request: SipRequest,
  { userUri, mcxUri }: McxClientOptions,
  bindings: Bindings,
): Promise<{ readonly callerUri: string; readonly offer: CallDescription; readonly binding: Binding }> {
  if (!isSameUri(request.headers.need(FROM).uri, mcxUri)) {
    throw new MikeySakkeError("verification", "NOT_THE_SERVER", "INVITE: not from the MCX server");
  }
  const [contentType = ""] = request.headers.texts(CONTENT_TYPE.name);
  const { parts, key } = await openSignalling(readMultipart(contentType, request.body), bindings);
  const binding = key && bindings.holding(key.keyId);
  if (binding === undefined) throw refused("not protected under a CSK of this client");
  const {
    requestType,
    requestUri,
    callingUser,
    binding: bound,
  } = readMcpttInfo(partOf(parts, MEDIA.mcpttInfo));
  if (requestType !== PRIVATE || requestUri !== userUri || callingUser === undefined) {
    throw refused("not a private call to this user");
  }
  if (bound !== undefined && !isOf(bound, request, parts)) throw refused("its parts are not of one request");
  const offer = readCallSdp(partOf(parts, MEDIA.sdp));
  if (offer.mikey === undefined) throw bad("no key for the call, a=key-mgmt:mikey");
  return { callerUri: callingUser, offer, binding };
}

function isOf(bound: RequestBinding, { headers, method }: SipRequest, parts: readonly Part[]): boolean {
  return (
    bound.method === method &&
    bound.callId === headers.need(CALL_ID) &&
    bound.fromTag === tagOf(headers.need(FROM)) &&
    bound.digest === digestOfUnsigned(parts)
  );
}

function partOf(parts: readonly Part[], type: string): Uint8Array {
  const body = parts.find(({ contentType }) => mediaTypeOf(contentType) === type)?.body;
  if (body === undefined) throw refused(`no part ${type}`);
  return body;
}

/** The end of a call, from whichever side, once. */
class CallEnd {
  session: { bye(): Promise<void> } | undefined;
  readonly #bindings: Bindings;
  readonly #binding: Binding;
  readonly #handlers: McxPrivateCallHandlers;
  #call: PrivateCall | undefined;

  constructor(bindings: Bindings, binding: Binding, handlers: McxPrivateCallHandlers) {
    this.#bindings = bindings;
    this.#binding = binding;
    this.#handlers = handlers;
  }

  begin(call: PrivateCall): McxPrivateCall {
    this.#call = call;
    this.#bindings.hold(this.#binding);
    return { call, hangUp: () => this.#close(true).then(() => undefined) };
  }

  async over(how: SessionEnd): Promise<void> {
    if (await this.#close(false)) this.#handlers.onEnd?.(how);
  }

  /** False: it was over before. */
  async #close(says: boolean): Promise<boolean> {
    const call = this.#call;
    this.#call = undefined;
    if (call === undefined) return false;
    this.#bindings.release(this.#binding);
    await Promise.all([says ? this.session?.bye() : undefined, call.close()]);
    return true;
  }
}

interface CallParts {
  readonly binding: Binding;
  readonly key: PrivateCallKey;
  readonly ports: readonly DatagramPort[];
  /** The server's description: its addresses, and the format of speech. */
  readonly server: CallDescription;
  readonly peerUri: string;
  readonly handlers: McxPrivateCallHandlers;
}

function callOf(
  { userUri, codecs, clock, random }: McxClientOptions,
  { binding: { held }, key, ports: [mediaPort, port], server, peerUri, handlers }: CallParts,
): PrivateCall {
  const { jitter, onEvent } = handlers;
  const { media: to, speech } = server;
  const now = () => clock.now();
  return new PrivateCall(
    { key, peerUri, mediaPort: mediaPort!, to, codecs, speech, jitter, now, random, onEvent },
    (media, onChange) =>
      new ServerFloor(
        {
          keys: held,
          service: "mcptt",
          port: port!,
          server: server.floor,
          ssrc: held.nextSsrc(),
          random,
          userUri,
          clock,
        },
        media,
        onChange,
      ),
  );
}

/** The ports of media and floor control. */
async function openPorts({ openPort }: McxClientOptions): Promise<readonly DatagramPort[]> {
  const media = await openPort();
  try {
    return [media, await openPort()];
  } catch (error) {
    await media.close();
    throw error;
  }
}

function describe(
  { random }: McxClientOptions,
  [media, floor]: readonly DatagramPort[],
  rest: Pick<CallDescription, "mikey" | "speech">,
): Uint8Array {
  const id = new DataView(random(4).buffer).getUint32(0);
  return writeCallSdp({ media: media!.address, floor: floor!.address, ...rest }, id);
}

function formatsOf({ codecs = G711_CODECS }: McxClientOptions) {
  return codecs.map(({ format }) => format);
}

/** RFC 4567 4.1.2 and TS 24.379: 488 says that the key or the media are not to be had. */
function refusalOf(error: MikeySakkeError): InviteAnswer {
  if (error.code === "NOT_THE_SERVER") return { status: 403 };
  if (error.check === undefined) return { status: 488 };
  return {
    status: 488,
    headers: (headers) => void headers.set(WARNING, { code: MISCELLANEOUS, agent: "mcx", text: KEY_REFUSED }),
  };
}

function refused(text: string): MikeySakkeError {
  return new MikeySakkeError("verification", "PRIVATE_CALL_INVALID", `INVITE: ${text}`);
}

function bad(text: string): MikeySakkeError {
  return new MikeySakkeError("codec", "BAD_SDP", `SDP: ${text}`);
}
