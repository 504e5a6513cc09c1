/**
 * The RTCP APP packets of floor control (TS 24.380 8.2) and transmission control (TS 24.581 9.2). Name and subtype of a packet
 * say which message it is; its fields have an identifier, a length, a value and zeros up to a multiple of four octets, which
 * the length does not count.
 */
import { concat, utf8 } from "../../base/bytes.ts";
import type { MikeySakkeError } from "../../base/errors.ts";
import { Reader } from "../mikey/reader.ts";
import { u8, u16, u32 } from "../mikey/writer.ts";

/** The properties of every message. Each other property is the value of a field, and may be absent. */
export interface AppMessage {
  readonly name: string;
  /** Asks for an acknowledgement. */
  readonly ackRequired?: boolean;
  /** SSRC of the sender of the message. */
  readonly ssrc: number;
}

/** One field of a message, and which properties of the message it carries. */
export interface AppField<M> {
  readonly id: number;
  /** Returns the octets of the value; undefined where the message does not have it. */
  readonly write: (message: M) => Uint8Array | undefined;
  readonly read: (value: Reader, message: M) => void;
}

export interface AppCodecOptions<M extends AppMessage> {
  /** The name and the subtype of the packet for each message. */
  readonly packets: Readonly<Record<M["name"], readonly [app: string, subtype: number]>>;
  /** In the order in which they are written. */
  readonly fields: readonly AppField<M>[];
  /** The error for a value that its field cannot carry. */
  readonly badField: (text: string) => MikeySakkeError;
  /** The error for octets that are no such message. */
  readonly badMessage: (text: string) => MikeySakkeError;
}

const RTCP_APP = 204;
const VERSION = 0x80;
const PADDING_BIT = 0x20;
/** The fifth bit of a subtype. */
const ACK_BIT = 0x10;
const HEADER_BYTES = 12;
const NAME_BYTES = 4;
const MAX_FIELD_BYTES = 255;

export class AppCodec<M extends AppMessage> {
  readonly #options: AppCodecOptions<M>;
  readonly #names: ReadonlyMap<string, M["name"]>;
  readonly #fields: ReadonlyMap<number, AppField<M>>;

  constructor(options: AppCodecOptions<M>) {
    this.#options = options;
    const packets: readonly (readonly [string, readonly [string, number]])[] = Object.entries(
      options.packets,
    );
    this.#names = new Map(packets.map(([name, [app, subtype]]) => [`${app} ${subtype}`, name]));
    this.#fields = new Map(options.fields.map((field) => [field.id, field]));
  }

  encode(message: M): Uint8Array {
    const { packets, fields } = this.#options;
    const [app, subtype] = packets[message.name as M["name"]];
    const body = concat(...fields.map((field) => this.#write(field, message)));
    const words = (HEADER_BYTES + body.length) / 4 - 1;
    const first = VERSION | (message.ackRequired ? ACK_BIT : 0) | subtype;
    return concat(u8(first, RTCP_APP), u16(words), u32(message.ssrc), utf8(app), body);
  }

  #write({ id, write }: AppField<M>, message: M): Uint8Array {
    const value = write(message);
    if (value === undefined) return new Uint8Array();
    if (value.length > MAX_FIELD_BYTES) {
      throw this.#options.badField(`field ${id}: ${value.length} octets, at most ${MAX_FIELD_BYTES}`);
    }
    return concat(u8(id, value.length), value, new Uint8Array(padding(value.length)));
  }

  /** Passes over fields that are not known. */
  decode(octets: Uint8Array): M {
    const { badMessage } = this.#options;
    const r = new Reader(octets);
    const first = r.u8("version and subtype");
    if (first >> 6 !== 2 || (first & PADDING_BIT) !== 0)
      throw badMessage("not RTCP of version 2 without padding");
    if (r.u8("packet type") !== RTCP_APP) throw badMessage("not an APP packet");
    if (4 * (r.u16("length") + 1) !== octets.length) throw badMessage("its length is not that of the packet");
    const ssrc = r.u32("SSRC");
    const app = asciiOf(r.take(NAME_BYTES, "name"));
    const name = this.#names.get(`${app} ${first & 0x0f}`);
    if (name === undefined) throw badMessage(`subtype ${first & 0x0f} of ${JSON.stringify(app)}`);
    const message = { name, ssrc, ...((first & ACK_BIT) !== 0 && { ackRequired: true }) } as M;
    while (r.remaining > 0) {
      const id = r.u8("field ID");
      const length = r.u8("field length");
      const value = r.part(length, "field");
      this.#fields.get(id)?.read(value, message);
      r.take(Math.min(padding(length), r.remaining), "padding");
    }
    return message;
  }
}

/** The name of a packet, whose octets need not be text. */
export function asciiOf(octets: Uint8Array): string {
  return String.fromCharCode(...octets);
}

function padding(length: number): number {
  return -(length + 2) & 3;
}
