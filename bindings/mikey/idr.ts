/** ID payload with role, IDR (RFC 6043 6.6, RFC 6509 4.4; roles 8 and 9: TS 33.180 E.7). */
import { concat } from "../../base/bytes.ts";
import { ID_ROLE_NAMES, ID_TYPE_NAMES, ID_TYPE_URI } from "./codes.ts";
import type { Reader } from "./reader.ts";
import { u8, u16 } from "./writer.ts";

export interface IdrPayload {
  readonly payload: "IDR";
  readonly role: number;
  readonly idType: number;
  readonly id: Uint8Array;
}

export function decodeIdr(r: Reader): IdrPayload {
  const role = r.u8("ID role", ID_ROLE_NAMES);
  const idType = r.u8("ID type", ID_TYPE_NAMES);
  const id = r.take(r.u16("ID length"), "ID data", (octets) =>
    isUidRole(role) ? undefined : printable(octets),
  );
  return { payload: "IDR", role, idType, id };
}

export function encodeIdr(p: IdrPayload): Uint8Array {
  return concat(u8(p.role, p.idType), u16(p.id.length), p.id);
}

/** An IDR of type URI. UIDs travel as raw octets under the same type; that is what products send. */
export function idr(role: number, id: Uint8Array): IdrPayload {
  return { payload: "IDR", role, idType: ID_TYPE_URI, id };
}

function isUidRole(role: number): boolean {
  return role === 8 || role === 9;
}

function printable(octets: Uint8Array): string {
  return new TextDecoder().decode(octets);
}
