/** Packets of a capture file: classic pcap and pcapng (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng). */
import { MikeySakkeError } from "../../base/errors.ts";
import { Octets } from "./bytes.ts";

export interface CapturedFrame {
  /** Milliseconds since the Unix epoch; undefined where the block has none. */
  readonly time: number | undefined;
  /** LINKTYPE_ of the interface. */
  readonly link: number;
  readonly octets: Uint8Array;
}

const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;
const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER = 0x1a2b3c4d;
const INTERFACE = 1;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
/** Option of an interface block that says the unit of its times. */
const IF_TSRESOL = 9;

export function isCapture(octets: Uint8Array): boolean {
  return octets.length >= 24 && (pcapOrder(octets) !== undefined || isPcapng(octets));
}

/** @throws {MikeySakkeError} codec `BAD_CAPTURE` */
export function framesOf(octets: Uint8Array): CapturedFrame[] {
  return isPcapng(octets) ? pcapngFrames(octets) : pcapFrames(octets);
}

function isPcapng(octets: Uint8Array): boolean {
  return new Octets(octets).u32(0) === SECTION_HEADER;
}

function pcapOrder(octets: Uint8Array): { little: boolean; perMs: number } | undefined {
  for (const little of [true, false]) {
    const magic = new Octets(octets, little).u32(0);
    if (magic === MICROSECONDS) return { little, perMs: 1e3 };
    if (magic === NANOSECONDS) return { little, perMs: 1e6 };
  }
  return undefined;
}

function pcapFrames(octets: Uint8Array): CapturedFrame[] {
  const { little, perMs } = pcapOrder(octets)!;
  const file = new Octets(octets, little);
  const link = file.u32(20) & 0xffff;
  const frames: CapturedFrame[] = [];
  for (let at = 24; at < file.length; ) {
    const length = file.u32(at + 8);
    const end = at + 16 + length;
    if (end > file.length) throw broken("a packet goes beyond the end of the file");
    const time = file.u32(at) * 1000 + file.u32(at + 4) / perMs;
    frames.push({ time, link, octets: file.slice(at + 16, end) });
    at = end;
  }
  return frames;
}

interface Interface {
  readonly link: number;
  /** Units of time in a millisecond. */
  readonly perMs: number;
}

function pcapngFrames(octets: Uint8Array): CapturedFrame[] {
  let little = false;
  let interfaces: Interface[] = [];
  const frames: CapturedFrame[] = [];
  for (let at = 0; at + 12 <= octets.length; ) {
    if (new Octets(octets).u32(at) === SECTION_HEADER) {
      little = new Octets(octets, true).u32(at + 8) === BYTE_ORDER;
      interfaces = [];
    }
    const file = new Octets(octets, little);
    const length = file.u32(at + 4);
    if (length < 12 || length % 4 !== 0 || at + length > octets.length)
      throw broken("a block has a wrong length");
    const body = new Octets(file.slice(at + 8, at + length - 4), little);
    const type = file.u32(at);
    if (type === INTERFACE) interfaces.push({ link: body.u16(0), perMs: unitsOf(body) });
    else if (type === ENHANCED_PACKET) {
      const from = interfaces[body.u32(0)];
      if (from === undefined) throw broken("a packet of an interface that is not described");
      const units = body.u32(4) * 2 ** 32 + body.u32(8);
      frames.push({ time: units / from.perMs, link: from.link, octets: body.slice(20, 20 + body.u32(12)) });
    } else if (type === SIMPLE_PACKET && interfaces[0] !== undefined) {
      frames.push({ time: undefined, link: interfaces[0].link, octets: body.slice(4, 4 + body.u32(0)) });
    }
    at += length;
  }
  return frames;
}

function unitsOf(body: Octets): number {
  for (let at = 8; at + 4 <= body.length; ) {
    const length = body.u16(at + 2);
    if (body.u16(at) === IF_TSRESOL) {
      const value = body.u8(at + 4);
      return (value & 0x80 ? 2 ** (value & 0x7f) : 10 ** value) / 1000;
    }
    if (body.u16(at) === 0) break;
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  return 1e3;
}

function broken(what: string): MikeySakkeError {
  return new MikeySakkeError("codec", "BAD_CAPTURE", `capture: ${what}`);
}
