/** Connections that begin a message and do not end it, or end it octet by octet. */
import { HTTP_CHANNELS, type SipChannel, STREAM_CHANNELS, type Stock } from "../stock.ts";
import type { Draw } from "./draw.ts";

export interface Connection {
  readonly kind: string;
  readonly channel: (typeof STREAM_CHANNELS)[number] | (typeof HTTP_CHANNELS)[number];
  /** Octets that are sent at once. */
  readonly octets: Uint8Array;
  /** Octets that follow, one at a time. */
  readonly slowly: Uint8Array;
}

const MIB = 1 << 20;
/** Their body breaks off: of a request that has none otherwise, too. */
const TARGETS = [
  "POST /keymanagement/identity/v1/init",
  "PUT /xcap/org.openmobilealliance.groups/global/byGroupID/x",
  "GET /health/ready",
  "GET /metrics",
  "DELETE /gms/v1/groups/x",
  "OPTIONS /",
];
const NOTHING = new Uint8Array(0);

export function connection(draw: Draw, stock: Stock): Connection {
  const channel = draw.pick([...STREAM_CHANNELS, ...HTTP_CHANNELS]);
  const isHttp = (HTTP_CHANNELS as readonly string[]).includes(channel);
  const message = isHttp
    ? Buffer.from(`${draw.pick(TARGETS)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${4 * MIB}\r\n\r\n`)
    : Buffer.from(draw.pick(stock.sip[(channel as SipChannel).slice(0, 3) as "gms" | "mcx"]));
  switch (draw.below(8)) {
    case 0:
      return { kind: "connection without a word", channel, octets: NOTHING, slowly: NOTHING };
    case 1:
    case 2:
      return {
        kind: "connection octet by octet",
        channel,
        octets: NOTHING,
        slowly: Uint8Array.from(message),
      };
    case 3: {
      const declared = Buffer.from(`MESSAGE sip:x SIP/2.0\r\nContent-Length: ${4 * MIB}\r\n\r\n`);
      const body = Buffer.alloc(
        draw.pick([10_000, 100_000, draw.chance(1, 12) ? 4 * MIB - 1 : 60_000]),
        0x61,
      );
      return {
        kind: "connection with a large body begun",
        channel,
        octets: Uint8Array.from(Buffer.concat([isHttp ? message : declared, body])),
        slowly: NOTHING,
      };
    }
    case 4:
      return {
        kind: "connection with an endless head",
        channel,
        octets: Uint8Array.from(
          Buffer.from(`OPTIONS sip:x SIP/2.0\r\n${"X: a\r\n".repeat(draw.pick([10, 1000, 5000]))}`),
        ),
        slowly: Uint8Array.from(Buffer.from("X: a\r\n".repeat(50))),
      };
    case 5:
      return {
        kind: "connection with noise",
        channel,
        octets: draw.octets(1 + draw.below(3000)),
        slowly: NOTHING,
      };
    default:
      return {
        kind: "connection with half a message",
        channel,
        octets: Uint8Array.from(message.subarray(0, draw.below(message.length))),
        slowly: NOTHING,
      };
  }
}
