/** Security policy payload SP (RFC 3830 6.10): a list of type, length, value. */
import { concat } from "../../base/bytes.ts";
import { PROT_NAMES, SRTP_TYPE_NAMES, SRTP_VALUE_NAMES } from "./codes.ts";
import type { Reader } from "./reader.ts";
import { u8, u16 } from "./writer.ts";

export interface SrtpParameter {
  readonly type: number;
  readonly value: Uint8Array;
}

export interface SpPayload {
  readonly payload: "SP";
  readonly policyNo: number;
  readonly protType: number;
  readonly parameters: readonly SrtpParameter[];
}

export function decodeSp(r: Reader): SpPayload {
  const policyNo = r.u8("policy no");
  const protType = r.u8("prot type", PROT_NAMES);
  const list = r.part(r.u16("policy param length"), "policy params");
  const parameters: SrtpParameter[] = [];
  while (list.remaining > 0) {
    const type = list.u8("param type", SRTP_TYPE_NAMES);
    const length = list.u8("param length");
    const name = SRTP_TYPE_NAMES[type] ?? `param ${type}`;
    const value = list.take(length, name, (octets) => describe(type, octets));
    parameters.push({ type, value });
  }
  return { payload: "SP", policyNo, protType, parameters };
}

export function encodeSp(p: SpPayload): Uint8Array {
  const list = concat(...p.parameters.map((x) => concat(u8(x.type, x.value.length), x.value)));
  return concat(u8(p.policyNo, p.protType), u16(list.length), list);
}

function describe(type: number, value: Uint8Array): string {
  const number = value.reduce((sum, octet) => sum * 256 + octet, 0);
  return SRTP_VALUE_NAMES[type]?.[number] ?? String(number);
}
