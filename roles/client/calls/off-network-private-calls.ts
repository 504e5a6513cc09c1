/**
 * Private calls without a server (TS 24.379 11.2): set up by messages between two clients, of which the first carries the PCK,
 * and released by either. These messages are not protected, but for the I_MESSAGE in the first: whoever is on the path can
 * end a call or keep it from beginning, and cannot hear it or speak in it.
 */
import { type Clock, Timer } from "../../../base/clock.ts";
import { defined } from "../../../base/defined.ts";
import { type ErrorCode, MikeySakkeError } from "../../../base/errors.ts";
import type { RandomSource } from "../../../base/random.ts";
import { MemoryReceiverState, type ReceiverState, type Tolerance } from "../../../bindings/index.ts";
import type { JitterBufferOptions } from "../../../bindings/media/index.ts";
import {
  decodePrivateCallMessage,
  encodePrivateCallMessage,
  type PrivateCallMessage,
  type RejectReason,
} from "../../../documents/monp/private-call.ts";
import { type CallDescription, readCallSdp, writeCallSdp } from "../../../documents/sdp/call.ts";
import { addressKey, type DatagramAddress, type DatagramPort } from "../../../transport/datagram/ports.ts";
import { commonSpeech, G711_CODECS, type SpeechCodec } from "../../call/speech-codec.ts";
import type { ClientKeys } from "../../identity/load-keys.ts";
import type { CallEvent } from "./call-events.ts";
import { closed } from "./call-media.ts";
import { PeerFloor } from "./floor-with-peer.ts";
import type { OffNetworkConfig } from "./off-network-floor.ts";
import { PrivateCall } from "./private-call.ts";
import { openPck, type PrivateCallKey, sealPck } from "./private-call-key.ts";

/** UDP port of the messages that set up calls (TS 24.379 11.2.1.1.1). */
export const MONP_PORT = 8809;

/** Milliseconds and counts. */
export interface PrivateCallTimers {
  /** TFP1 and CFP1: a message that is not answered is sent again. */
  readonly repeat: number;
  readonly repeats: number;
  /** TFP2: how long the user of the other side may take to answer. */
  readonly ringing: number;
}

export const DEFAULT_PRIVATE_CALL: PrivateCallTimers = { repeat: 500, repeats: 6, ringing: 40_000 };

/** released: by the other side. lost: the other side has not confirmed that the call has begun. */
export type PrivateCallEnd = "released" | "lost";

export interface PlacedPrivateCall {
  readonly call: PrivateCall;
  /** Ends the call and closes its sockets. */
  hangUp(): Promise<void>;
}

export interface PrivateCallHandlers {
  readonly onEvent?: (event: CallEvent) => void;
  /** Not called for one's own `hangUp`. */
  readonly onEnd?: (end: PrivateCallEnd) => void;
}

/** A call that came in and was taken. */
export interface TakenPrivateCall extends PrivateCallHandlers {
  readonly onBegin: (placed: PlacedPrivateCall) => void;
}

export interface OffNetworkPrivateCallsOptions {
  /** MC service user ID. */
  readonly userUri: string;
  readonly keys: () => ClientKeys;
  /** The port on which calls are set up, by the standard at `MONP_PORT`. It is closed with the calls. */
  readonly signalling: DatagramPort;
  /** A socket for media or floor control of a call. */
  readonly openPort: () => Promise<DatagramPort>;
  /** Whether a call of that user is taken, whose signature has been verified. No call is taken when absent. */
  readonly onCall?: (
    callerUri: string,
  ) => TakenPrivateCall | undefined | Promise<TakenPrivateCall | undefined>;
  /** Calls at a time, 1 when absent. */
  readonly maxCalls?: number;
  readonly codecs?: readonly SpeechCodec[];
  readonly jitter?: JitterBufferOptions;
  readonly tolerance?: Tolerance;
  readonly floor?: Partial<OffNetworkConfig>;
  readonly timers?: Partial<PrivateCallTimers>;
  /** I_MESSAGEs that came before; in memory when absent. */
  readonly state?: ReceiverState;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly random: RandomSource;
}

interface Parties {
  readonly callId: number;
  readonly caller: string;
  readonly callee: string;
}

/** A call from its first message on. */
interface Entry extends Parties {
  /** The address from which messages of the other side come. */
  readonly peer: DatagramAddress;
  /** Sends again what is not answered. */
  readonly repeat: Timer;
  /** The last answer to the caller, for a request that comes again. */
  answer: Uint8Array | undefined;
  /** The caller waits for the answer. */
  answered: ((message: PrivateCallMessage) => void) | undefined;
  /** The call does not come about: whoever waits for the answer is told. */
  failed: ((error: MikeySakkeError) => void) | undefined;
  /** RELEASE ACK has come, or is waited for no longer. */
  released: (() => void) | undefined;
  call: PrivateCall | undefined;
  readonly handlers: PrivateCallHandlers;
}

/** Answers to callers that are kept for requests that come again. */
const MAX_ANSWERS = 64;
/** Requests whose I_MESSAGE is opened at a time; others are dropped, and come again. */
const MAX_OPENING = 2;

export class OffNetworkPrivateCalls {
  readonly counters = { malformed: 0, refused: 0, dropped: 0 };
  readonly #options: OffNetworkPrivateCallsOptions;
  readonly #timers: PrivateCallTimers;
  readonly #state: ReceiverState;
  readonly #entries = new Map<string, Entry>();
  /** Rejections, by call. */
  readonly #rejected = new Map<string, Uint8Array>();
  /** Requests that are looked into, and whether their caller has been told so. */
  readonly #opening = new Map<string, "opening" | "ringing">();
  #isClosed = false;

  constructor(options: OffNetworkPrivateCallsOptions) {
    this.#options = options;
    this.#timers = { ...DEFAULT_PRIVATE_CALL, ...options.timers };
    this.#state = options.state ?? new MemoryReceiverState({ maxMessages: 10_000, maxKeys: 10_000 });
    options.signalling.receive((octets, from) => this.#receive(octets, from));
  }

  /**
   * Calls a user whose client is at that address. `kmsUri`: their KMS, when it is not one's own.
   *
   * @throws {MikeySakkeError} transport `PRIVATE_CALL_REFUSED`, `PRIVATE_CALL_UNANSWERED`; usage `TOO_MANY_CALLS`; codec `BAD_SDP`
   * in the answer; as `sealMessage`
   */
  async call(
    calleeUri: string,
    peer: DatagramAddress,
    { kmsUri, ...handlers }: PrivateCallHandlers & { readonly kmsUri?: string } = {},
  ): Promise<PlacedPrivateCall> {
    this.#requireRoom();
    const { userUri, keys, random, now } = this.#options;
    const callId = new DataView(random(2).buffer).getUint16(0);
    const entry = this.#enter({ callId, caller: userUri, callee: calleeUri }, peer, handlers);
    let key: PrivateCallKey | undefined;
    let ports: readonly DatagramPort[] = [];
    try {
      const callee = { uri: calleeUri, ...defined({ kmsUri }) };
      const sealed = await sealPck(callee, keys(), { random, now: now() });
      key = sealed;
      ports = await this.#openPorts();
      const sdp = this.#describe(ports, { mikey: sealed.octets, speech: this.#formats });
      const answer = await this.#ask(entry, { name: "PRIVATE CALL SETUP REQUEST", manual: false, sdp });
      return this.#begin(entry, key, ports, readCallSdp(answer), calleeUri);
    } catch (error) {
      // Otherwise the other side is still to confirm that it is over.
      if (entry.released === undefined) this.#forget(entry);
      key?.pck.destroy();
      await Promise.all(ports.map((port) => port.close()));
      throw error;
    }
  }

  /** Ends all calls. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#entries.values()].map((entry) => this.#hangUp(entry)));
    await this.#options.signalling.close();
  }

  get #formats() {
    return (this.#options.codecs ?? G711_CODECS).map(({ format }) => format);
  }

  #requireRoom(): void {
    const { maxCalls = 1 } = this.#options;
    if (this.#isClosed) throw closed();
    if (this.#entries.size < maxCalls) return;
    throw new MikeySakkeError("usage", "TOO_MANY_CALLS", `${maxCalls} private calls at a time`);
  }

  #enter({ callId, caller, callee }: Parties, peer: DatagramAddress, handlers: PrivateCallHandlers): Entry {
    const { clock } = this.#options;
    const entry: Entry = {
      callId,
      caller,
      callee,
      peer,
      repeat: new Timer(clock),
      answer: undefined,
      answered: undefined,
      failed: undefined,
      released: undefined,
      call: undefined,
      handlers,
    };
    this.#entries.set(keyOf(entry, peer), entry);
    return entry;
  }

  #forget(entry: Entry): void {
    entry.repeat.clear();
    this.#entries.delete(keyOf(entry, entry.peer));
  }

  /** The ports of media and floor control. */
  async #openPorts(): Promise<readonly [DatagramPort, DatagramPort]> {
    const { openPort } = this.#options;
    const media = await openPort();
    try {
      return [media, await openPort()];
    } catch (error) {
      await media.close();
      throw error;
    }
  }

  #describe(
    [media, floor]: readonly DatagramPort[],
    rest: Pick<CallDescription, "mikey" | "speech">,
  ): Uint8Array {
    const id = new DataView(this.#options.random(4).buffer).getUint32(0);
    return writeCallSdp({ media: media!.address, floor: floor!.address, ...rest }, id);
  }

  #begin(
    entry: Entry,
    key: PrivateCallKey,
    [mediaPort, floorPort]: readonly DatagramPort[],
    { media, floor, speech }: CallDescription,
    peerUri: string,
  ): PlacedPrivateCall {
    const { userUri, clock, random, codecs, jitter, floor: config } = this.#options;
    const call = new PrivateCall(
      {
        key,
        peerUri,
        mediaPort: mediaPort!,
        to: media,
        codecs,
        speech,
        jitter,
        now: () => clock.now(),
        random,
        onEvent: entry.handlers.onEvent,
      },
      (own, onChange) =>
        new PeerFloor({ userUri, peerUri, floorPort: floorPort!, to: floor, clock, config }, own, onChange),
    );
    entry.call = call;
    return { call, hangUp: () => this.#hangUp(entry) };
  }

  /** Sends a request until it is answered. Gives the SDP of the answer. */
  #ask(
    entry: Entry,
    request: { name: "PRIVATE CALL SETUP REQUEST"; manual: boolean; sdp: Uint8Array },
  ): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const unanswered = () => {
        this.#send(entry, { name: "PRIVATE CALL RELEASE" });
        reject(failure("PRIVATE_CALL_UNANSWERED", `${entry.callee}: does not answer`));
      };
      entry.answered = (message) => {
        if (message.name === "PRIVATE CALL RINGING") {
          entry.repeat.set(this.#timers.ringing, unanswered);
        } else if (message.name === "PRIVATE CALL ACCEPT") {
          this.#accepted(entry);
          resolve(message.sdp);
        } else if (message.name === "PRIVATE CALL REJECT") {
          reject(failure("PRIVATE_CALL_REFUSED", `${entry.callee}: refuses the call (${message.reason})`));
        }
      };
      entry.failed = reject;
      this.#sendUntil(entry, request, unanswered);
    });
  }

  /** The callee is told so again, should it ask: the first time may have been lost. */
  #accepted(entry: Entry): void {
    entry.repeat.clear();
    entry.answered = (message) => {
      if (message.name === "PRIVATE CALL ACCEPT") this.#send(entry, { name: "PRIVATE CALL ACCEPT ACK" });
    };
    this.#send(entry, { name: "PRIVATE CALL ACCEPT ACK" });
  }

  async #hangUp(entry: Entry): Promise<void> {
    const isPresent = this.#entries.get(keyOf(entry, entry.peer)) === entry;
    if (!isPresent || entry.released !== undefined) return;
    entry.answer = undefined;
    entry.answered = undefined;
    const released = new Promise<void>((resolve) => {
      entry.released = resolve;
      this.#sendUntil(entry, { name: "PRIVATE CALL RELEASE" }, resolve);
    });
    entry.failed?.(closed());
    await entry.call?.close();
    entry.call = undefined;
    await released;
    this.#forget(entry);
  }

  async #end(entry: Entry, end: PrivateCallEnd): Promise<void> {
    const { call } = entry;
    this.#forget(entry);
    entry.call = undefined;
    if (call === undefined) return;
    await call.close();
    entry.handlers.onEnd?.(end);
  }

  #sendUntil(entry: Entry, message: Content, failed: () => void, sent = 1): void {
    this.#send(entry, message);
    entry.repeat.set(this.#timers.repeat, () => {
      if (sent < this.#timers.repeats) this.#sendUntil(entry, message, failed, sent + 1);
      else failed();
    });
  }

  #send(
    { callId, caller, callee, peer }: Parties & { readonly peer: DatagramAddress },
    content: Content,
  ): void {
    this.#transmit(encodePrivateCallMessage({ ...content, callId, caller, callee }), peer);
  }

  #transmit(octets: Uint8Array, to: DatagramAddress): void {
    this.#options.signalling.send(octets, to, () => undefined);
  }

  #receive(octets: Uint8Array, from: DatagramAddress): void {
    let message: PrivateCallMessage | undefined;
    try {
      message = decodePrivateCallMessage(octets);
    } catch (error) {
      if (!(error instanceof MikeySakkeError)) throw error;
    }
    if (message === undefined) {
      this.counters.malformed++;
      return;
    }
    const entry = this.#entries.get(keyOf(message, from));
    switch (message.name) {
      case "PRIVATE CALL SETUP REQUEST":
        void this.#requested(message, from, entry);
        break;
      case "PRIVATE CALL RELEASE":
        this.#send({ ...message, peer: from }, { name: "PRIVATE CALL RELEASE ACK" });
        if (entry !== undefined) void this.#releasedBy(entry);
        break;
      case "PRIVATE CALL RELEASE ACK":
        entry?.released?.();
        break;
      case "PRIVATE CALL ACCEPT ACK":
        if (entry?.answer !== undefined && entry.released === undefined) entry.repeat.clear();
        break;
      default:
        entry?.answered?.(message);
    }
  }

  async #releasedBy(entry: Entry): Promise<void> {
    // Both may hang up at a time.
    if (entry.released !== undefined) entry.released();
    else await this.#end(entry, "released");
  }

  async #requested(
    message: PrivateCallMessage & { readonly name: "PRIVATE CALL SETUP REQUEST" },
    from: DatagramAddress,
    entry: Entry | undefined,
  ): Promise<void> {
    const { userUri, maxCalls = 1 } = this.#options;
    const name = keyOf(message, from);
    const answer = entry?.answer ?? this.#rejected.get(name);
    if (answer !== undefined) this.#transmit(answer, from);
    if (this.#opening.get(name) === "ringing") this.#ring(message, from);
    if (answer !== undefined || entry !== undefined || this.#opening.has(name)) return;
    if (message.callee !== userUri || this.#isClosed) return;
    if (this.#opening.size >= MAX_OPENING) {
      this.counters.dropped++;
      return;
    }
    this.#opening.set(name, "opening");
    try {
      const reason =
        this.#entries.size >= maxCalls ? "busy" : await this.#take(message, from).catch(reasonOf);
      if (reason !== undefined) this.#reject(message, from, reason);
    } finally {
      this.#opening.delete(name);
    }
  }

  #reject(message: Parties, peer: DatagramAddress, reason: RejectReason): void {
    const { callId, caller, callee } = message;
    this.counters.refused++;
    const octets = encodePrivateCallMessage({ name: "PRIVATE CALL REJECT", reason, callId, caller, callee });
    const [oldest] = this.#rejected.keys();
    if (this.#rejected.size >= MAX_ANSWERS) this.#rejected.delete(oldest!);
    this.#rejected.set(keyOf(message, peer), octets);
    this.#transmit(octets, peer);
  }

  /** Undefined: it is taken. */
  async #take(
    message: PrivateCallMessage & { readonly name: "PRIVATE CALL SETUP REQUEST" },
    from: DatagramAddress,
  ): Promise<RejectReason | undefined> {
    const { keys, tolerance, now, onCall, codecs = G711_CODECS } = this.#options;
    const { caller } = message;
    const offer = readCallSdp(message.sdp);
    const speech = commonSpeech(codecs, offer.speech);
    if (speech === undefined) return "media-failure";
    if (offer.mikey === undefined) return "security-failure";
    const state = this.#state;
    const key = await openPck(offer.mikey, { caller, keys: keys(), state, tolerance, now: now() });
    let ports: readonly DatagramPort[] = [];
    let entry: Entry | undefined;
    try {
      this.#ring(message, from);
      const taken = await onCall?.(caller);
      if (taken === undefined) return refuse(key, "reject");
      this.#requireRoom();
      entry = this.#enter(message, from, taken);
      ports = await this.#openPorts();
      const placed = this.#begin(entry, key, ports, { ...offer, speech: [speech] }, caller);
      this.#answer(entry, this.#describe(ports, { speech: [speech] }));
      taken.onBegin(placed);
      return undefined;
    } catch (error) {
      if (entry !== undefined) this.#forget(entry);
      await Promise.all(ports.map((port) => port.close()));
      refuse(key, "failed");
      throw error;
    }
  }

  #ring(message: Parties, peer: DatagramAddress): void {
    this.#opening.set(keyOf(message, peer), "ringing");
    this.#send({ ...message, peer }, { name: "PRIVATE CALL RINGING" });
  }

  #answer(entry: Entry, sdp: Uint8Array): void {
    const { callId, caller, callee } = entry;
    const accept = { name: "PRIVATE CALL ACCEPT", sdp } as const;
    entry.answer = encodePrivateCallMessage({ ...accept, callId, caller, callee });
    this.#sendUntil(entry, accept, () => void this.#end(entry, "lost"));
  }
}

type Content = PrivateCallMessage extends infer M
  ? M extends PrivateCallMessage
    ? Omit<M, "callId" | "caller" | "callee">
    : never
  : never;

function keyOf({ callId, caller, callee }: Parties, peer: DatagramAddress): string {
  return `${callId} ${caller} ${callee} ${addressKey(peer)}`;
}

function refuse(key: PrivateCallKey, reason: RejectReason): RejectReason {
  key.pck.destroy();
  return reason;
}

/** TS 24.379 15.2.8: what the caller is told of an error. */
function reasonOf(error: unknown): RejectReason {
  if (!(error instanceof MikeySakkeError)) return "failed";
  if (error.code === "BAD_SDP") return "media-failure";
  if (error.code === "TOO_MANY_CALLS") return "busy";
  return error.check === undefined && error.kind !== "verification" ? "failed" : "security-failure";
}

function failure(code: ErrorCode, text: string): MikeySakkeError {
  return new MikeySakkeError("transport", code, text);
}
