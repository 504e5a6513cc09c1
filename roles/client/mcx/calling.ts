/** A group call by way of the server: INVITE with addresses, then media and floor control there (TS 24.379 10.1). */

import { backOff } from "../../../base/back-off.ts";
import { pauseOn } from "../../../base/clock.ts";
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { JitterBufferOptions } from "../../../bindings/media/index.ts";
import { MEDIA, type ServiceInfo, writeMcpttInfo } from "../../../documents/group-xml/index.ts";
import {
  type CallDescription,
  G711,
  isSameFormat,
  readCallSdp,
  type SpeechFormat,
  writeCallSdp,
} from "../../../documents/sdp/call.ts";
import type { DatagramPort } from "../../../transport/datagram/ports.ts";
import {
  CONTACT,
  type InviteResult,
  type KeepAliveOptions,
  type OnOffer,
  SESSION_TIMER,
  type SessionEnd,
  type SipResponse,
  type SipSession,
} from "../../../transport/sip/index.ts";
import type { ControlKeys } from "../../call/control-keys.ts";
import type { CallEvent } from "../calls/call-events.ts";
import { GroupCall } from "../calls/group-call.ts";
import { senderOf, withToken } from "./authorised.ts";
import { type Binding, inTime, isOfServer, McxRefusedError } from "./binding.ts";
import type { Bindings } from "./bindings.ts";
import { sealRequest } from "./bound-request.ts";
import { hasOneServer, type McxClientOptions, PATIENT_KEEP_ALIVE } from "./options.ts";
import { type Watch, type WatchOptions, watchCall } from "./watching.ts";

export interface CallOptions {
  /** The known users of the group, to name the talkers who are heard. */
  readonly members?: () => readonly string[];
  readonly jitter?: JitterBufferOptions;
  readonly onEvent?: (event: CallEvent) => void;
  /**
   * The server ended the call, as when the user was removed from the group; or it was lost, and could not be joined
   * again in a minute.
   */
  readonly onEnd?: (end: SessionEnd) => void;
}

export interface McxCall {
  /** The same one when it is joined again at another process of the server, which takes seconds. */
  readonly call: GroupCall;
  /**
   * Tells who is in the call until it is over, also after it was joined again. A server that does not tell, or tells no more, is
   * not asked again.
   */
  watch(onChange: (participants: readonly string[]) => void): Promise<void>;
  /** Leaves the call and closes its sockets. */
  hangUp(): Promise<void>;
}

/** `O`: a description of the streams of the call, that of a call with speech when absent. */
export interface JoinOptions<O = CallDescription> {
  /** The description of media and floor control for the server, for the answer to say where they go. */
  readonly offer: O;
  /** The call was lost at another process of the server. False when absent. */
  readonly isAgain?: boolean;
  /**
   * The server goes on with the call in these formats of speech, which are all of the offer: the first of them is to be talked
   * in. Without it, such a change is refused.
   */
  readonly onSpeech?: (speech: readonly SpeechFormat[]) => void;
  /** The server ended the call, as when the user was removed from the group. */
  readonly onEnd?: (end: SessionEnd) => void;
}

/** The signalling of a call. */
export interface JoinedCall<O = CallDescription> {
  readonly answer: O;
  /** Keys of floor control; they change. */
  readonly control: ControlKeys;
  /** SSRC of this client's floor control, never reused under these keys. */
  readonly controlSsrc: number;
  /** URI of the process that serves the call. */
  readonly server: string;
  /** Tells who is in the call, until it is hung up. See `watchCall` for its errors. */
  watch(options: WatchOptions): Promise<Watch>;
  /** The process does not serve it any more: neither it nor the binding there is told. */
  lost(): void;
  hangUp(): Promise<void>;
}

/** How the calls of a service are described. */
export interface CallService<O> {
  /** Media type of the info document. */
  readonly contentType: string;
  readonly writeInfo: (info: ServiceInfo) => string;
  readonly write: (offer: O, id: number) => Uint8Array;
  readonly read: (answer: Uint8Array) => O;
  /** Answers offers of the server within the call; without it they are refused. */
  readonly onOffer?: (
    offer: O,
    id: number,
    answered: () => Uint8Array | undefined,
    onSpeech: (speech: readonly SpeechFormat[]) => void,
  ) => OnOffer;
}

const SPEECH: CallService<CallDescription> = {
  contentType: MEDIA.mcpttInfo,
  writeInfo: writeMcpttInfo,
  write: writeCallSdp,
  read: readCallSdp,
  onOffer: answersTo,
};

/**
 * Finds out within 3.5 seconds that a host fell silent: an OPTIONS over UDP is sent three times in that limit. A lease
 * of the server's processes is over by then, so that another one takes the call.
 */
export const CALL_KEEP_ALIVE: KeepAliveOptions = { interval: 1500, limit: 2000 };
const MOST_REDIRECTS = 4;
/** Milliseconds: longer than a group can belong to a process that is no more. */
const REDIRECT_TIME_MS = 6000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5000;
/** Milliseconds in which a call that was lost is tried to be joined again. */
const REJOIN_TIME_MS = 60_000;
/**
 * Milliseconds for the answer to an INVITE where another process may take the call: one that was lost, or a
 * redirection. The first INVITE has the time that SIP gives it (32 s, RFC 3261 17.1.1.2): a server that 200 clients
 * join at once is slow, not gone.
 */
const PATIENCE_MS = 5000;

/** @throws {McxRefusedError}; SIP transport errors; codec `BAD_SDP`; usage `NO_SIGNALLING_KEY` when no CSK is uploaded */
export function joinCall(
  options: McxClientOptions,
  bindings: Bindings,
  groupUri: string,
  join: JoinOptions,
): Promise<JoinedCall> {
  return joinCallOf(SPEECH, options, bindings, groupUri, join);
}

/** Joins the call of a group that a service has. Errors as `joinCall`. */
export async function joinCallOf<O>(
  service: CallService<O>,
  options: McxClientOptions,
  bindings: Bindings,
  groupUri: string,
  join: JoinOptions<O>,
): Promise<JoinedCall<O>> {
  const { clock } = options;
  const { silences } = bindings;
  const until = clock.now() + REDIRECT_TIME_MS;
  const isAlone = hasOneServer(options);
  for (;;) {
    const home = await bindings.home();
    let at = home;
    let isRedirected = false;
    try {
      for (let hops = 0; ; hops++) {
        const keepAlive = at === home && isAlone ? PATIENT_KEEP_ALIVE : CALL_KEEP_ALIVE;
        const { response, session } = await invite(service, options, at, groupUri, {
          ...join,
          ...((at !== home || (join.isAgain && !isAlone)) && { patience: silences.limit(PATIENCE_MS) }),
          keepAlive: silences.keepAlive(options.callKeepAlive ?? keepAlive),
        });
        if (session !== undefined)
          return await joined(service, options, bindings, groupUri, { at, session, response });
        const contact = response.headers.get(CONTACT);
        const isRedirect = response.status === 302 && contact !== undefined && contact !== "*";
        if (!isRedirect || hops === MOST_REDIRECTS) throw new McxRefusedError("INVITE", response);
        isRedirected = true;
        at = await bindings.at(contact.uri, at);
      }
    } catch (error) {
      // A process that is no more owns its groups until its lease is over.
      if (!isRedirected || !isOfServer(error) || clock.now() >= until) throw error;
      if (at !== home) bindings.lost(at, error);
      await pauseOn(clock, FIRST_PAUSE_MS);
    }
  }
}

async function invite<O>(
  service: CallService<O>,
  options: McxClientOptions,
  binding: Binding,
  groupUri: string,
  {
    offer,
    patience,
    keepAlive,
    onSpeech,
    onEnd,
  }: JoinOptions<O> & { readonly patience?: number; readonly keepAlive: KeepAliveOptions },
): Promise<InviteResult> {
  const { endpoint, userUri, mcxUri, random, token, clock } = options;
  const info = { requestType: "prearranged", requestUri: groupUri, callingUser: userUri };
  const id = new DataView(random(4).buffer).getUint32(0);
  const description = { contentType: MEDIA.sdp, body: service.write(offer, id) };
  const request = await sealRequest(options, binding.held, {
    method: "INVITE",
    contentType: service.contentType,
    info: (ofRequest) => service.writeInfo({ ...info, binding: ofRequest }),
    parts: [description],
  });
  const sender = await senderOf(options);
  let isLate = false;
  let answered: Uint8Array | undefined;
  const answer = endpoint.invite({
    ...binding.target,
    to: mcxUri,
    ...request,
    ...sender,
    description,
    timer: options.sessionTimer ?? SESSION_TIMER,
    keepAlive,
    ...defined({ onOffer: onSpeech && service.onOffer?.(offer, id, () => answered, onSpeech) }),
    // Its connection may be another one by then; in an IMS the proxies of the dialog stand for it.
    ...(options.ims === undefined && { prove: () => withToken(token) }),
    onEnd: (end) => {
      if (!isLate) onEnd?.(end);
    },
  });
  try {
    const result = await (patience === undefined ? answer : inTime(answer, patience, clock));
    answered = result.response.body;
    return result;
  } catch (error) {
    isLate = true;
    void answer.then(({ session }) => session?.bye()).catch(() => undefined);
    throw error;
  }
}

/**
 * Answers offers of the server for other formats of speech (RFC 3264 8.3.2). Other changes are refused: a call that moves is
 * joined again. `answered`: the server's answer to `offer`.
 */
function answersTo(
  offer: CallDescription,
  id: number,
  answered: () => Uint8Array | undefined,
  onSpeech: (speech: readonly SpeechFormat[]) => void,
): OnOffer {
  const own = offer.speech ?? G711;
  let version = 1;
  return (body) => {
    const before = answered();
    if (before === undefined) return undefined;
    try {
      const offered = readCallSdp(body);
      const common = offered.speech!.filter((format) => own.some((one) => isSameFormat(one, format)));
      if (common.length === 0 || placeOf(offered) !== placeOf(readCallSdp(before))) return undefined;
      onSpeech(common);
      return { contentType: MEDIA.sdp, body: writeCallSdp({ ...offer, speech: common }, id, ++version) };
    } catch (error) {
      if (error instanceof MikeySakkeError) return undefined;
      throw error;
    }
  };
}

const placeOf = ({ media, floor, multicast, webSocket }: CallDescription) =>
  JSON.stringify([media, floor, multicast, webSocket]);

interface Answered {
  readonly at: Binding;
  readonly session: SipSession;
  readonly response: SipResponse;
}

async function joined<O>(
  service: CallService<O>,
  options: McxClientOptions,
  bindings: Bindings,
  groupUri: string,
  { at: binding, session, response }: Answered,
): Promise<JoinedCall<O>> {
  const { held, server } = binding;
  try {
    const answer = service.read(response.body);
    bindings.hold(binding);
    let isOver = false;
    const watches = new Set<Watch>();
    return {
      answer,
      control: held,
      controlSsrc: held.nextSsrc(),
      server: server.name,
      async watch(watchOptions) {
        const watch = await watchCall(options, bindings, binding, groupUri, watchOptions);
        watches.add(watch);
        return watch;
      },
      lost() {
        isOver = true;
        for (const watch of watches) watch.close();
        bindings.lost(binding);
      },
      async hangUp() {
        for (const watch of watches) watch.close();
        await session.bye();
        if (!isOver) bindings.release(binding);
        isOver = true;
      },
    };
  } catch (error) {
    await session.bye();
    throw error;
  }
}

/** Errors as `joinCall`. */
export async function placeCall(
  options: McxClientOptions,
  bindings: Bindings,
  groupUri: string,
  callOptions: CallOptions,
): Promise<McxCall> {
  const { openPort } = options;
  const ports = [await openPort(), await openPort()] as const;
  try {
    const placed = new PlacedCall(options, bindings, groupUri, callOptions, ports);
    await placed.begin();
    return {
      call: placed.call,
      watch: (onChange) => placed.watch(onChange),
      hangUp: () => placed.hangUp(),
    };
  } catch (error) {
    await Promise.all(ports.map((port) => port.close()));
    throw error;
  }
}

/** A call with its media, which moves to another process when it loses the one that serves it. */
class PlacedCall {
  call!: GroupCall;
  readonly #options: McxClientOptions;
  readonly #bindings: Bindings;
  readonly #groupUri: string;
  readonly #callOptions: CallOptions;
  readonly #ports: readonly [DatagramPort, DatagramPort];
  #joined: JoinedCall | undefined;
  readonly #watching: ((participants: readonly string[]) => void)[] = [];
  /** The media are where `#joined` says. */
  #isPlaced = false;
  #isOver = false;

  constructor(
    options: McxClientOptions,
    bindings: Bindings,
    groupUri: string,
    callOptions: CallOptions,
    ports: readonly [DatagramPort, DatagramPort],
  ) {
    this.#options = options;
    this.#bindings = bindings;
    this.#groupUri = groupUri;
    this.#callOptions = callOptions;
    this.#ports = ports;
  }

  async begin(): Promise<void> {
    const { userUri, mcxUri, random, clock, groupKeys, mediaBlocks, codecs } = this.#options;
    const { members, jitter, onEvent } = this.#callOptions;
    const [mediaPort, floorPort] = this.#ports;
    await this.#join(false, async (joined) => {
      const { answer } = joined;
      const multicast = await this.#multicastOf(answer);
      this.call = new GroupCall({
        groupUri: this.#groupUri,
        userUri,
        keys: groupKeys(this.#groupUri),
        mediaPort,
        floorPort,
        server: answer,
        ...defined({ multicast }),
        control: joined.control,
        controlSsrc: joined.controlSsrc,
        mixer: mcxUri,
        ...defined({ blocks: mediaBlocks, codecs }),
        ...(answer.multiTalker && { floor: { multiTalker: true } }),
        ...defined({ members, jitter }),
        clock,
        now: () => clock.now(),
        random,
        ...defined({ onEvent }),
      });
    });
  }

  async watch(onChange: (participants: readonly string[]) => void): Promise<void> {
    this.#watching.push(onChange);
    if (this.#isPlaced) await this.#joined?.watch({ onChange });
  }

  async #watch(joined: JoinedCall, onChange: (participants: readonly string[]) => void): Promise<void> {
    try {
      await joined.watch({ onChange });
    } catch (error) {
      this.#options.onEvent?.({ type: "refused", error });
    }
  }

  async hangUp(): Promise<void> {
    this.#isOver = true;
    await this.#joined?.hangUp();
    await this.call.close();
  }

  /** An end of the session before its media are in place is heard when they are. */
  async #join(isAgain: boolean, place: (joined: JoinedCall) => Promise<void>): Promise<void> {
    const [media, floor] = this.#ports;
    const { codecs } = this.#options;
    let ended: SessionEnd | undefined;
    let changed: readonly SpeechFormat[] | undefined;
    this.#isPlaced = false;
    const joined = await joinCall(this.#options, this.#bindings, this.#groupUri, {
      offer: {
        media: media.address,
        floor: floor.address,
        ...(codecs && { speech: codecs.map(({ format }) => format) }),
      },
      isAgain,
      onSpeech: (speech) => {
        changed = speech;
        if (this.#isPlaced) this.call.talkIn(speech);
      },
      onEnd: (end) => {
        ended = end;
        if (this.#isPlaced) void this.#ended(joined, end);
      },
    });
    this.#joined = joined;
    try {
      await place(joined);
    } catch (error) {
      this.#joined = undefined;
      await joined.hangUp();
      throw error;
    }
    this.#isPlaced = true;
    if (changed !== undefined) this.call.talkIn(changed);
    for (const onChange of this.#watching) void this.#watch(joined, onChange);
    if (ended !== undefined) void this.#ended(joined, ended);
  }

  async #multicastOf({ multicast }: CallDescription) {
    const { openPort } = this.#options;
    return multicast && { media: await openPort(multicast.media), floor: await openPort(multicast.floor) };
  }

  async #ended(joined: JoinedCall, end: SessionEnd): Promise<void> {
    if (this.#isOver || joined !== this.#joined) return;
    if (end === "bye") {
      void joined.hangUp();
      return this.#over(end);
    }
    const { onEvent } = this.#options;
    if (end === "lost") this.#bindings.silences.noticed();
    // A server that was only slow ends this one with a BYE when the call is joined again.
    this.#joined = undefined;
    this.call.away();
    onEvent?.({ type: "call-lost", groupUri: this.#groupUri });
    joined.lost();
    if (!(await this.#rejoin())) this.#over(end);
  }

  #over(end: SessionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    void this.call.close();
    this.#callOptions.onEnd?.(end);
  }

  /** False: the server does not want it, or none is found. */
  async #rejoin(): Promise<boolean> {
    const { clock, random, onEvent } = this.#options;
    const until = clock.now() + REJOIN_TIME_MS;
    for (let failures = 1; !this.#isOver; failures++) {
      try {
        await this.#join(true, async ({ answer, control, controlSsrc, server }) => {
          const multicast = await this.#multicastOf(answer);
          await this.call.moveTo({ server: answer, control, controlSsrc, ...defined({ multicast }) });
          onEvent?.({ type: "call-joined", groupUri: this.#groupUri, server });
        });
        // It was hung up meanwhile.
        if (this.#isOver) await this.hangUp();
        return true;
      } catch (error) {
        if (!isOfServer(error) || clock.now() >= until) return false;
        const wait = { failures, firstMs: FIRST_PAUSE_MS, longestMs: LONGEST_PAUSE_MS };
        await pauseOn(clock, backOff(wait, random));
      }
    }
    return true;
  }
}
