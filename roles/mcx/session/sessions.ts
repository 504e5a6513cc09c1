/** The calls of groups with speech (TS 24.379 10.1). */
import { defined } from "../../../base/defined.ts";
import type { DeliveredKey } from "../../../bindings/index.ts";
import type { GroupMediaKeys, IndexBlocks } from "../../../bindings/media/index.ts";
import {
  type CallDescription,
  G711,
  isSameFormat,
  type SpeechFormat,
  writeCallSdp,
} from "../../../documents/sdp/call.ts";
import { type CallSpeech, isG711, joinedBy, leftTo } from "./call-speech.ts";
import {
  type Call,
  type CallMember,
  GroupCalls,
  type GroupCallsOptions,
  type Participant,
} from "./group-calls.ts";
import { type SessionFacts, SessionMaker, type SessionMakerOptions } from "./session-maker.ts";

export interface SessionsOptions extends SessionMakerOptions, GroupCallsOptions {
  /** Keys of groups that are to be mixed. */
  readonly keysOf: (groupUri: string) => GroupMediaKeys | undefined;
  /** The indexes that mixed media are sent under; drawn when absent. */
  readonly blocks?: IndexBlocks;
  /** The key of multicast, where there is multicast. */
  readonly musik?: DeliveredKey | undefined;
  /** A member has asked for the floor with an emergency. */
  readonly emergency?: (groupUri: string, user: string) => void;
}

export interface JoiningMember extends CallMember {
  /** The formats of speech that the client has, the preferred one first. G.711 when absent. */
  readonly speech?: readonly SpeechFormat[];
}

type SpeechCall = Call<JoiningMember, CallSpeech>;

/** Joining throws usage `NO_COMMON_SPEECH` too. */
export class GroupSessions extends GroupCalls<JoiningMember, CallSpeech, CallDescription> {
  readonly #options: SessionsOptions;

  constructor(options: SessionsOptions) {
    super("mcptt", new SessionMaker(options), options);
    this.#options = options;
  }

  protected formatOf(groupUri: string, call: SpeechCall, { user, speech = G711 }: JoiningMember): CallSpeech {
    const isMixed = this.#options.keysOf(groupUri) !== undefined;
    return joinedBy(speech, offersIn(call, user), call.format, isMixed);
  }

  protected override formatLeft(call: SpeechCall): CallSpeech | undefined {
    return call.format && leftTo(offersIn(call), call.format);
  }

  protected override changeFor(
    call: SpeechCall,
    { member, uri, told, version }: Participant<JoiningMember, CallSpeech>,
  ): Uint8Array | undefined {
    if (isSameFormat(told.format, call.format!.format)) return undefined;
    return writeCallSdp(this.describe(call, member, uri), member.sdpId, version + 1);
  }

  protected factsOf(groupUri: string, slot: number, call: () => SpeechCall): SessionFacts {
    const { keysOf, blocks } = this.#options;
    const isInG711 = () => {
      const { format } = call();
      return format === undefined || isG711(format.format);
    };
    return {
      groupUri,
      ...defined({ multicast: this.#multicastOf(slot) }),
      keys: () => (isInG711() ? keysOf(groupUri) : undefined),
      speech: () => call().format?.format,
      blocks,
      onEmergency: (user) => this.#options.emergency?.(groupUri, user),
    };
  }

  protected describe(
    { session, slots, format }: SpeechCall,
    { queueing }: JoiningMember,
    uri: string | undefined,
  ): CallDescription {
    const { config } = this.#options;
    const multicast = this.#multicastOf(slots[0]!);
    return {
      ...this.maker.describe(session, queueing),
      ...(format && { speech: [format.format] }),
      ...(config.speakers > 1 && { multiTalker: true }),
      ...(uri === undefined
        ? multicast && { multicast: { media: multicast.media, floor: multicast.floor.address } }
        : { webSocket: { uri } }),
    };
  }

  #multicastOf(slot: number) {
    const { config, musik } = this.#options;
    const { multicast } = config.media;
    if (multicast === undefined || musik === undefined) return undefined;
    const host = nextAddress(multicast.firstAddress, slot);
    const media = { host, port: multicast.port };
    return { media, floor: { address: { host, port: multicast.port + 1 }, musik } };
  }
}

/** What the members of a call have offered, but for one who joins again. */
function offersIn({ participants }: SpeechCall, joining?: string) {
  return [...participants.values()].flatMap(({ member: { user, speech = G711 } }) =>
    user === joining ? [] : [speech],
  );
}

/** The n-th IPv4 address after this one. */
function nextAddress(first: string, n: number): string {
  const number = first.split(".").reduce((sum, part) => sum * 256 + Number(part), 0) + n;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}
