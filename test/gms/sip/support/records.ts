/** Messages as the store has them, with the number of the rekey for their octets. */
import type { GktpRecord, RekeyKind } from "../../../../store/gms/records.ts";

export const MEMBER = "sip:alice@example.com";

export function record(rekey: number, kind: RekeyKind = "distribute", ...groups: string[]): GktpRecord {
  return {
    rekey,
    memberUri: MEMBER,
    kind,
    gmkId: 0 as never,
    groups: groups.length > 0 ? groups : ["g"],
    activation: 0,
    state: "sealed",
    traceparent: undefined,
    octets: Uint8Array.of(rekey >> 8, rekey, kind.length),
  };
}
