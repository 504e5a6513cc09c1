/** A message of MCData on its way through the server, and how it lies in the database. */
import { fromHex, fromUtf8, toHex, utf8 } from "../../../base/bytes.ts";
import { defined } from "../../../base/defined.ts";

/** A message that a server brings to the members of a group or to one user: short data, or the notice of a file. */
export interface Sds {
  /** Undefined where one user has sent it to another, outside of any group. */
  readonly group?: string;
  /** The only one that it is for: a member of the group, or any user. */
  readonly to?: string;
  readonly sender: string;
  /** In clear. */
  readonly signalling: Uint8Array;
  /** Empty where the signalling says all. */
  readonly payload: Uint8Array;
  /** The I_MESSAGE with the key of two users. */
  readonly mikey?: Uint8Array;
}

export function encodeSds({ group, to, sender, signalling, payload, mikey }: Sds): Uint8Array {
  const octets = { signalling: toHex(signalling), payload: toHex(payload), mikey: mikey && toHex(mikey) };
  return utf8(JSON.stringify({ group, to, sender, ...octets }));
}

export function decodeSds(octets: Uint8Array): Sds {
  const { group, to, sender, signalling, payload, mikey } = JSON.parse(fromUtf8(octets)) as Record<
    "sender" | "signalling" | "payload",
    string
  > &
    Partial<Record<"group" | "to" | "mikey", string>>;
  return {
    ...defined({ group, to, mikey: mikey === undefined ? undefined : fromHex(mikey) }),
    sender,
    signalling: fromHex(signalling),
    payload: fromHex(payload),
  };
}
