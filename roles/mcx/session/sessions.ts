/** The calls of groups with speech (TS 24.379 10.1). */
import { defined } from "../../../base/defined.ts";
import type { DeliveredKey } from "../../../bindings/index.ts";
import type { GroupMediaKeys, IndexBlocks } from "../../../bindings/media/index.ts";
import { type CallDescription, G711, isSameFormat, type SpeechFormat } from "../../../documents/sdp/call.ts";
import { refused } from "../common/errors.ts";
import { type Call, type CallMember, GroupCalls, type GroupCallsOptions } from "./group-calls.ts";
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

type SpeechCall = Call<SpeechFormat>;

/** Joining throws usage `NO_COMMON_SPEECH` too. */
export class GroupSessions extends GroupCalls<JoiningMember, SpeechFormat, CallDescription> {
  readonly #options: SessionsOptions;

  constructor(options: SessionsOptions) {
    super("mcptt", new SessionMaker(options), options);
    this.#options = options;
  }

  /** Speech that is mixed has to be decoded, which is done for G.711. */
  protected formatOf(groupUri: string, call: SpeechCall, { speech = G711 }: JoiningMember): SpeechFormat {
    const isMixed = this.#options.keysOf(groupUri) !== undefined;
    const chosen = call.participants.size === 0 ? undefined : call.format;
    const possible = speech.filter((one) =>
      chosen === undefined ? !isMixed || isG711(one) : isSameFormat(one, chosen),
    );
    const [first] = possible;
    if (first !== undefined) return chosen ?? first;
    const needed =
      chosen === undefined ? "G.711, as the server mixes" : `${chosen.encoding} as type ${chosen.type}`;
    throw refused("NO_COMMON_SPEECH", `the call is in ${needed}, which is not offered`);
  }

  protected factsOf(groupUri: string, slot: number, call: () => SpeechCall): SessionFacts {
    const { keysOf, blocks } = this.#options;
    const isInG711 = () => {
      const { format } = call();
      return format === undefined || isG711(format);
    };
    return {
      groupUri,
      ...defined({ multicast: this.#multicastOf(slot) }),
      keys: () => (isInG711() ? keysOf(groupUri) : undefined),
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
      ...(format && { speech: [format] }),
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

function isG711(one: SpeechFormat): boolean {
  return G711.some((format) => isSameFormat(one, format));
}

/** The n-th IPv4 address after this one. */
function nextAddress(first: string, n: number): string {
  const number = first.split(".").reduce((sum, part) => sum * 256 + Number(part), 0) + n;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}
