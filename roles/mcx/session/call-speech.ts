/**
 * The format of speech of a call: the first, in the order of the member who began it, that all members have. What one says goes
 * to all others as it is, and the payload type is part of what SRTP authenticates (decision D-196).
 */
import { G711, isSameFormat, type SpeechFormat } from "../../../documents/sdp/call.ts";
import { refused } from "../common/errors.ts";

export interface CallSpeech {
  /** The formats of the member who began the call, the preferred one first. */
  readonly order: readonly SpeechFormat[];
  /** The format of all. */
  readonly format: SpeechFormat;
}

/** The formats that one member has. */
export type Offer = readonly SpeechFormat[];

/**
 * Returns the speech of a call that one more member joins. Speech that is mixed has to be decoded, which is done for G.711.
 *
 * @throws {MikeySakkeError} usage `NO_COMMON_SPEECH`
 */
export function joinedBy(
  offer: Offer,
  others: readonly Offer[],
  before: CallSpeech | undefined,
  isMixed: boolean,
): CallSpeech {
  const [isFirst, own] = [
    others.length === 0 || before === undefined,
    isMixed ? offer.filter(isG711) : offer,
  ];
  const order = isFirst ? own : before!.order;
  const [format] = common(order, [...others, offer]);
  if (format !== undefined) return { order, format };
  const names = common(order, others).map(({ encoding, type }) => `${encoding} as type ${type}`);
  const needed = isFirst ? "G.711, as the server mixes" : names.join(" or ");
  throw refused("NO_COMMON_SPEECH", `the call is in ${needed}, which is not offered`);
}

/** Returns the speech of a call in which these members are left: the format of before is one that all have, or a better one. */
export function leftTo(offers: readonly Offer[], { order, format }: CallSpeech): CallSpeech {
  return { order, format: common(order, offers)[0] ?? format };
}

export function isG711(one: SpeechFormat): boolean {
  return has(G711, one);
}

function common(order: Offer, offers: readonly Offer[]): SpeechFormat[] {
  return order.filter((one) => offers.every((offer) => has(offer, one)));
}

const has = (offer: Offer, one: SpeechFormat) => offer.some((format) => isSameFormat(format, one));
