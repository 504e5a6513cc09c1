/** The values that fields of floor control and transmission control have (TS 24.380 8.2.3, TS 24.581 9.2.3). */
import { concat, fromUtf8, utf8 } from "../../base/bytes.ts";
import type { Reader } from "../mikey/reader.ts";
import { u8, u16, u32 } from "../mikey/writer.ts";
import { type AppField, asciiOf } from "./packet.ts";

export interface FieldValue<T> {
  readonly write: (value: T) => Uint8Array;
  /** `name` is for the texts of errors. */
  readonly read: (octets: Reader, name: string) => T;
}

/** A number of one octet, behind which one is spare. */
export const NUMBER_8: FieldValue<number> = {
  write: (number) => u8(number, 0),
  read: (octets, name) => octets.u8(name),
};

export const NUMBER_16: FieldValue<number> = {
  write: u16,
  read: (octets, name) => octets.u16(name),
};

export const FLAG: FieldValue<boolean> = {
  write: (is) => u16(is ? 1 : 0),
  read: (octets, name) => octets.u16(name) !== 0,
};

/** An SSRC, behind which two octets are spare. */
export const SSRC: FieldValue<number> = {
  write: (ssrc) => concat(u32(ssrc), u16(0)),
  read: (octets, name) => octets.u32(name),
};

export const TEXT: FieldValue<string> = {
  write: utf8,
  read: (octets, name) => fromUtf8(octets.take(octets.remaining, name), name),
};

/** The name of a packet, behind which two octets are spare. */
export const PACKET_NAME: FieldValue<string> = {
  write: (name) => concat(utf8(name), u16(0)),
  read: (octets, name) => asciiOf(octets.take(4, name)),
};

/** Position and priority in a queue. */
export const QUEUE: FieldValue<{ readonly position: number; readonly priority: number }> = {
  write: ({ position, priority }) => u8(position, priority),
  read: (octets) => ({ position: octets.u8("position"), priority: octets.u8("priority") }),
};

/** The field that carries one property of a message. */
export function field<K extends string, T>(
  id: number,
  key: K,
  { write, read }: FieldValue<T>,
): AppField<{ [P in K]?: T }> {
  return {
    id,
    write(message) {
      const value = message[key];
      return value === undefined ? undefined : write(value);
    },
    read(octets, message) {
      message[key] = read(octets, key);
    },
  };
}

/** The field that carries a cause as a number, and a phrase for it where there is one. */
export function causeField(id: number): AppField<{ cause?: number; causePhrase?: string }> {
  return {
    id,
    write: ({ cause, causePhrase = "" }) =>
      cause === undefined ? undefined : concat(u16(cause), utf8(causePhrase)),
    read(octets, message) {
      message.cause = octets.u16("cause");
      if (octets.remaining > 0) message.causePhrase = TEXT.read(octets, "phrase of a cause");
    },
  };
}
