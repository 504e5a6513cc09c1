/**
 * Reads big-endian fields with a length check before each. Every field is named: the names make the error
 * texts and, when a trace is kept, the field list of the inspector, so both come from one decoder.
 */
import { refusal } from "../../base/checks.ts";

/** One field as it stands on the wire. Bit fields share the offset of their octet. */
export interface Field {
  readonly name: string;
  /** Octets from the start of the message. */
  readonly offset: number;
  readonly length: number;
  readonly value: number | bigint | Uint8Array;
  readonly meaning?: string;
}

export type Names = Readonly<Record<number, string>>;

export class Reader {
  readonly octets: Uint8Array;
  readonly end: number;
  readonly trace: Field[] | undefined;
  #at: number;

  constructor(
    octets: Uint8Array,
    options: { start?: number; end?: number; trace?: Field[] | undefined } = {},
  ) {
    this.octets = octets;
    this.#at = options.start ?? 0;
    this.end = options.end ?? octets.length;
    this.trace = options.trace;
  }

  /** Octets from the start of the message to the next field. */
  get offset(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.end - this.#at;
  }

  u8(name: string, names?: Names): number {
    return this.#number(1, name, names);
  }

  u16(name: string, names?: Names): number {
    return this.#number(2, name, names);
  }

  u32(name: string, meaning?: (value: number) => string | undefined): number {
    const value = this.#number(4, undefined);
    this.note(name, this.#at - 4, 4, value, meaning?.(value));
    return value;
  }

  /** 40 bits: the date and time of TS 24.282 15.2.8. */
  u40(name: string, meaning?: (value: number) => string | undefined): number {
    this.#need(5, name);
    const value = this.#number(1, undefined) * 2 ** 32 + this.#number(4, undefined);
    this.note(name, this.#at - 5, 5, value, meaning?.(value));
    return value;
  }

  u64(name: string, meaning?: (value: bigint) => string | undefined): bigint {
    this.#need(8, name);
    const value = (BigInt(this.#number(4, undefined)) << 32n) | BigInt(this.#number(4, undefined));
    this.note(name, this.#at - 8, 8, value, meaning?.(value));
    return value;
  }

  /** A copy of the next octets. */
  take(length: number, name: string, meaning?: (value: Uint8Array) => string | undefined): Uint8Array {
    this.#need(length, name);
    const value = this.octets.slice(this.#at, this.#at + length);
    this.#at += length;
    this.note(name, this.#at - length, length, value, meaning?.(value));
    return value;
  }

  /** A reader bounded to the next octets, which this one skips. */
  part(length: number, name: string): Reader {
    this.#need(length, name);
    const start = this.#at;
    this.#at += length;
    return new Reader(this.octets, { start, end: this.#at, trace: this.trace });
  }

  /** Adds a field to the trace, if one is kept. */
  note(name: string, offset: number, length: number, value: Field["value"], meaning?: string): void {
    this.trace?.push({ name, offset, length, value, ...(meaning === undefined ? {} : { meaning }) });
  }

  #number(length: 1 | 2 | 4, name: string | undefined, names?: Names): number {
    this.#need(length, name ?? "field");
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + this.octets[this.#at++]!;
    if (name !== undefined) this.note(name, this.#at - length, length, value, names?.[value]);
    return value;
  }

  #need(length: number, name: string): void {
    if (length > this.remaining) {
      throw refusal("TRUNCATED", `${name}: needs ${length} octets, ${this.remaining} left`, {
        offset: this.#at,
      });
    }
  }
}
