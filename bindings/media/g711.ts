/**
 * G.711: 8000 samples a second, each an octet on a µ-law or A-law scale. Tables of all values are computed from the
 * segments of tables 1 and 2 of the recommendation; samples are linear with 16 bits, of which µ-law uses 14 and A-law 13.
 */

export const G711_RATE = 8000;
/** Samples, and octets, of 20 ms. */
export const G711_FRAME = 160;

/** Names of RFC 3551: µ-law and A-law. */
export type G711Law = "PCMU" | "PCMA";

/** RFC 3551 table 4. */
export const G711_PAYLOAD_TYPES = { PCMU: 0, PCMA: 8 } as const;

/** Undefined for payload types that are not G.711. */
export function g711LawOf(payloadType: number): G711Law | undefined {
  if (payloadType === G711_PAYLOAD_TYPES.PCMU) return "PCMU";
  return payloadType === G711_PAYLOAD_TYPES.PCMA ? "PCMA" : undefined;
}

export function encodeG711(law: G711Law, samples: Int16Array): Uint8Array {
  const table = tablesOf(law).encode;
  return Uint8Array.from(samples, (sample) => table[sample & 0xffff]!);
}

export function decodeG711(law: G711Law, octets: Uint8Array): Int16Array {
  const table = tablesOf(law).decode;
  return Int16Array.from(octets, (octet) => table[octet]!);
}

interface Tables {
  /** By the sample as 16 bits without sign. */
  readonly encode: Uint8Array;
  readonly decode: Int16Array;
}

const made = new Map<G711Law, Tables>();

function tablesOf(law: G711Law): Tables {
  const known = made.get(law);
  if (known !== undefined) return known;
  const [compress, expand] = law === "PCMU" ? [compressMu, expandMu] : [compressA, expandA];
  const tables = {
    encode: Uint8Array.from({ length: 0x10000 }, (_, bits) => compress((bits << 16) >> 16)),
    decode: Int16Array.from({ length: 0x100 }, (_, octet) => expand(octet)),
  };
  made.set(law, tables);
  return tables;
}

/** The value that is added so that segments begin at powers of two. */
const MU_BIAS = 33;
const MU_MOST = 0x1fff;

function compressMu(sample: number): number {
  // Ones' complement: the scale has a zero on either side.
  const magnitude = Math.min(((sample < 0 ? ~sample : sample) >> 2) + MU_BIAS, MU_MOST);
  const segment = 26 - Math.clz32(magnitude);
  const code = (segment << 4) | ((magnitude >> (segment + 1)) & 0x0f);
  return (sample < 0 ? 0x7f : 0xff) - code;
}

function expandMu(octet: number): number {
  const code = ~octet & 0x7f;
  const segment = code >> 4;
  const magnitude = ((2 * (code & 0x0f) + MU_BIAS) << segment) - MU_BIAS;
  return (octet < 0x80 ? -magnitude : magnitude) * 4;
}

/** Every other bit is inverted on the line. */
const A_INVERTED = 0x55;

function compressA(sample: number): number {
  const magnitude = (sample < 0 ? ~sample : sample) >> 4;
  // The two lowest segments have one step.
  const segment = Math.max(28 - Math.clz32(magnitude), 0);
  const code = segment === 0 ? magnitude : (segment << 4) | ((magnitude >> (segment - 1)) & 0x0f);
  return (code | (sample < 0 ? 0 : 0x80)) ^ A_INVERTED;
}

function expandA(octet: number): number {
  const code = (octet ^ A_INVERTED) & 0x7f;
  const segment = code >> 4;
  const step = 2 * (code & 0x0f) + 1;
  const magnitude = segment === 0 ? step : (step + 32) << (segment - 1);
  return (octet < 0x80 ? -magnitude : magnitude) * 8;
}
