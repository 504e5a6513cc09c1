/** The inputs of a run: each follows from the seed, its number and the stock, and from nothing else. */
import { type Channel, HTTP_CHANNELS, SIP_CHANNELS, type SipChannel, type Stock } from "../stock.ts";
import { connection } from "./connections.ts";
import { Draw } from "./draw.ts";
import { changedHttp } from "./http.ts";
import { knownInput } from "./known.ts";
import { changedDatagram } from "./media.ts";
import { anyChange } from "./octets.ts";
import { renamed, SIP_KINDS, type SipServerName } from "./sip.ts";
import { joinParts, messageParts } from "./sip-text.ts";

export interface HostileInput {
  readonly kind: string;
  readonly channel: Channel;
  /** The index of the place among those of the channel. */
  readonly place: number;
  readonly octets: Uint8Array;
  /** The connection is held open, and gets this an octet at a time. */
  readonly slowly?: Uint8Array;
}

/** SIP goes over UDP as often as over all connections together, as these cost the attackers more. */
const SIP_WAYS: readonly SipChannel[] = [
  ...SIP_CHANNELS,
  ...Array.from({ length: 4 }, () => ["gms-udp", "mcx-udp"] as const).flat(),
];
const HTTP_WAYS = [...HTTP_CHANNELS, "kms", "kms", "kms", "xcap", "xcap", "xcap"] as const;
const SIP_WEIGHT = SIP_KINDS.reduce((sum, { weight }) => sum + weight, 0);

export function inputAt(seed: string, index: number, stock: Stock): HostileInput {
  const draw = new Draw(`${seed} ${index}`);
  const place = draw.below(1 << 16);
  const share = draw.below(1000);
  if (share < 480) return { place, ...sip(draw, stock) };
  if (share < 700) return { place, channel: "media", ...changedDatagram(draw, stock.media, "rtp") };
  if (share < 820) return { place, channel: "floor", ...changedDatagram(draw, stock.floor, "rtcp") };
  if (share < 900) {
    const channel = draw.pick(HTTP_WAYS);
    return { place, channel, ...changedHttp(draw, stock, channel) };
  }
  if (share < 980) return { place, ...toClient(draw, stock) };
  if (share < 988) {
    const channel = draw.pick(SIP_WAYS);
    const { name, octets } = knownInput(draw, stock, channel);
    return { kind: `known: ${name}`, channel, place, octets };
  }
  return { place, ...connection(draw, stock) };
}

function sip(draw: Draw, stock: Stock): Omit<HostileInput, "place"> {
  const channel = draw.pick(SIP_WAYS);
  let left = draw.below(SIP_WEIGHT);
  const kind = SIP_KINDS.find(({ weight }) => {
    left -= weight;
    return left < 0;
  })!;
  return { kind: kind.name, channel, octets: kind.make(draw, stock, channel.slice(0, 3) as SipServerName) };
}

/** Clients have open sockets too: what the servers told them comes again from somebody else. */
function toClient(draw: Draw, stock: Stock): Omit<HostileInput, "place"> {
  const share = draw.below(4);
  if (share === 0) return { channel: "client-media", ...prefixed(changedDatagram(draw, stock.media, "rtp")) };
  if (share === 1)
    return { channel: "client-floor", ...prefixed(changedDatagram(draw, stock.floor, "rtcp")) };
  const message = draw.pick(stock.sip.client);
  const octets = draw.pick([
    () => message,
    () => joinParts(renamed(draw, messageParts(message))),
    () => joinParts(renamed(draw, messageParts(message))),
    () => anyChange(draw, message, draw.pick(stock.sip.client)),
  ])();
  return { kind: "to a client: sip", channel: "client-sip", octets };
}

function prefixed({ kind, octets }: { kind: string; octets: Uint8Array }) {
  return { kind: `to a client: ${kind}`, octets };
}
