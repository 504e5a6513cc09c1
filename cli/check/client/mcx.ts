/**
 * The MCX server that a client under test has: it takes settings with a CSK, and calls of the group (TS 33.180 5.4, TS 24.379
 * 7.3.3, 10.1).
 */
import type { Clock } from "../../../base/clock.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { RandomSource } from "../../../base/random.ts";
import {
  type DeliveredKey,
  type KeyId,
  MemoryReceiverState,
  openMessage,
  type Receiver,
  toHex,
} from "../../../bindings/index.ts";
import type { GroupMediaKeys } from "../../../bindings/media/index.ts";
import { type McpttInfo, MEDIA, type Part, readMcpttInfo } from "../../../documents/group-xml/index.ts";
import { type CallDescription, readCallSdp, writeCallSdp } from "../../../documents/sdp/call.ts";
import { type OpenedPart, openSignalling, PeerXmlKeys } from "../../../documents/signalling-xml/index.ts";
import { commonSpeech, G711_CODECS } from "../../../roles/call/speech-codec.ts";
import { needPart, partOf, partsOf } from "../../../roles/mcx/signalling/request.ts";
import { tokenIn } from "../../../roles/server/sip-caller.ts";
import type { DatagramPort } from "../../../transport/datagram/ports.ts";
import {
  type Answer,
  CONTACT,
  EVENT,
  EXPIRES,
  type Flow,
  type Incoming,
  type InviteAnswer,
  nameAddress,
  RECORD_ROUTE,
  SIP_ETAG,
  type SipEndpoint,
  type SipRequest,
} from "../../../transport/sip/index.ts";
import { Arrivals } from "./arrivals.ts";
import { CheckCall, type FloorSeen, type SpeechSeen } from "./call.ts";

export interface CheckMcxOptions {
  readonly userUri: string;
  readonly mcxUri: string;
  readonly endpoint: SipEndpoint;
  /** A socket for media or floor control. */
  readonly openPort: () => Promise<DatagramPort>;
  /** The keys of the server's own identity. */
  readonly receiver: Receiver;
  readonly groupKeys: GroupMediaKeys;
  /** Seconds of a binding, at most. */
  readonly expires: number;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly random: RandomSource;
}

/** A PUBLISH of the client. */
export interface PublishSeen {
  readonly request: SipRequest;
  readonly at: number;
  /** When the binding would have ended without it. */
  readonly due?: number | undefined;
  /** The I_MESSAGE, if there is one. */
  readonly mikey: Uint8Array | undefined;
  /** The key in it; undefined: there is none, or it was refused. */
  readonly csk: DeliveredKey | undefined;
  /** Signed under a CSK that the client uploaded before. */
  readonly isSigned: boolean;
  readonly token: string | undefined;
  readonly error?: MikeySakkeError;
}

/** An INVITE of the client. */
export interface InviteSeen {
  readonly request: SipRequest;
  readonly at: number;
  readonly parts: readonly OpenedPart[];
  readonly info?: McpttInfo;
  readonly offer?: CallDescription;
  /** Why it was refused; undefined: it was accepted. */
  readonly error?: MikeySakkeError;
  /** The route that the answer recorded. */
  readonly route?: string;
}

const MAX_BODY = 256 << 10;
const EVENT_PACKAGE = "poc-settings";
const ETAG_BYTES = 8;
/** Protected elements are opened, and elements in clear are taken too: the cases judge whether they should have been protected. */
const AS_IT_IS = { switches: { confidentiality: false, integrity: false } };

export class CheckMcx {
  readonly publishes = new Arrivals<PublishSeen>();
  readonly invites = new Arrivals<InviteSeen>();
  readonly calls = new Arrivals<CheckCall>();
  readonly floors = new Arrivals<FloorSeen>();
  readonly speeches = new Arrivals<SpeechSeen>();
  /** The flow on which the client came last. */
  flow: Flow | undefined;
  readonly #options: CheckMcxOptions;
  readonly #state = new MemoryReceiverState({ maxMessages: 1000, maxKeys: 1000 });
  readonly #xml: PeerXmlKeys;
  /** The newest last. */
  readonly #csks: DeliveredKey[] = [];
  #until: number | undefined;

  constructor(options: CheckMcxOptions) {
    this.#options = options;
    this.#xml = new PeerXmlKeys(options.userUri);
    const { endpoint } = options;
    endpoint.onRequest("PUBLISH", (incoming) => this.#publish(incoming));
    endpoint.onInvite((incoming) => this.#invite(incoming));
  }

  /** The call that goes on. */
  get call(): CheckCall | undefined {
    const { last } = this.calls;
    return last?.isOver ? undefined : last;
  }

  async close(): Promise<void> {
    await this.call?.close();
    for (const csk of this.#csks) csk.destroy();
    this.#xml.destroy();
    this.#options.receiver.destroy();
  }

  async #publish({ request, flow }: Incoming): Promise<Answer> {
    if (request.headers.get(EVENT)?.value.toLowerCase() !== EVENT_PACKAGE) return { status: 489 };
    const { clock, expires, random } = this.#options;
    this.flow = flow;
    const seen = await this.#read(request);
    this.publishes.add(seen);
    if (seen.error !== undefined || this.#csks.length === 0) return { status: 403 };
    const granted = Math.min(request.headers.get(EXPIRES) ?? expires, expires);
    this.#until = granted === 0 ? undefined : clock.now() + 1000 * granted;
    return {
      status: 200,
      headers: (headers) => void headers.set(EXPIRES, granted).set(SIP_ETAG, toHex(random(ETAG_BYTES))),
    };
  }

  async #read(request: SipRequest): Promise<PublishSeen> {
    const { clock } = this.#options;
    const due = this.#until;
    const base = { request, at: clock.now(), due, mikey: undefined, csk: undefined };
    const unread = { ...base, isSigned: false, token: undefined };
    return readOr(unread, async () => {
      const parts = partsOf(request, MAX_BODY);
      const mikey = partOf(parts, MEDIA.mikey);
      return readOr({ ...unread, mikey }, async () => {
        const csk = mikey && (await this.#take(mikey));
        const { parts: clear, key } = await openSignalling(parts, this.#xml, AS_IT_IS);
        const isSigned = key !== undefined && clear.some(({ signed }) => signed);
        return { ...base, mikey, csk, isSigned, token: tokenIn(request, clear) };
      });
    });
  }

  async #take(octets: Uint8Array): Promise<DeliveredKey> {
    const { receiver, now, userUri } = this.#options;
    const opened = await openMessage(octets, {
      receiver,
      state: this.#state,
      now: now(),
      allow: ["CSK"],
      authorise: ({ uri }) => uri === userUri,
    });
    if (opened.outcome !== "accepted") {
      throw new MikeySakkeError("verification", "KEY_REVOKED", "the CSK is revoked");
    }
    this.#csks.push(opened.key);
    this.#xml.add(opened.key);
    return opened.key;
  }

  async #invite({ request, flow }: Incoming): Promise<InviteAnswer> {
    const { clock, endpoint } = this.#options;
    this.flow = flow;
    const base = { request, at: clock.now(), parts: [] };
    const seen: InviteSeen = await readOr<InviteSeen>(base, async () => {
      const { parts } = await openSignalling(partsOf(request, MAX_BODY), this.#xml, AS_IT_IS);
      return readOr<InviteSeen>({ ...base, parts }, async () => ({
        ...base,
        parts,
        info: readMcpttInfo(needPart(parts as readonly Part[], MEDIA.mcpttInfo)),
        offer: readCallSdp(needPart(parts, MEDIA.sdp)),
      }));
    });
    if (seen.offer === undefined || this.#csks.length === 0) {
      this.invites.add(seen);
      return { status: seen.offer === undefined ? 488 : 403 };
    }
    const route = `${endpoint.contact(flow.transport)};lr;check=route`;
    this.invites.add({ ...seen, route });
    return this.#accept(seen.offer, route);
  }

  async #accept(offer: CallDescription, route: string): Promise<InviteAnswer> {
    const { openPort, random, groupKeys, clock } = this.#options;
    await this.call?.close();
    const call = new CheckCall({
      media: await openPort(),
      floor: await openPort(),
      offer,
      speech: commonSpeech(G711_CODECS, offer.speech) ?? offer.speech![0]!,
      sending: () => this.#csks.at(-1),
      receiving: (keyId: KeyId) => this.#csks.find((key) => key.keyId === keyId),
      groupKeys,
      floors: this.floors,
      speeches: this.speeches,
      clock,
      random,
    });
    this.calls.add(call);
    return {
      status: 200,
      contentType: MEDIA.sdp,
      body: writeCallSdp(call.description, new DataView(random(4).buffer).getUint32(0)),
      // As a proxy on the way would: what the client sends from now on goes by it.
      headers: (headers) => void headers.set(RECORD_ROUTE, nameAddress(route)),
      received: (received) => void call.requests.add(received),
      accepted: (session) => {
        call.session = session;
      },
      onEnd: () => void call.close(),
    };
  }
}

/** Returns what was read; with the error, where there is one of the library, what was known before. */
async function readOr<T extends object>(before: T, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
    return { ...before, error };
  }
}

/** The URI at which the client is reached. */
export function contactOf({ headers }: SipRequest): string | undefined {
  const contact = headers.get(CONTACT);
  return contact === undefined || contact === "*" ? undefined : contact.uri;
}
