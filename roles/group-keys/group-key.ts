/** A group key as its holder sees it, and the states of its life (TS 33.180 5.2.4, 5.7.1, E.6). */
import type { DeliveredKey, KeyId, SrtpProfile } from "../../bindings/index.ts";

/**
 * pending: for reception, but not yet for sending. expired: kept for a while, not used. revoked: the key is gone, the
 * identifier is blocked.
 */
export type GroupKeyState = "pending" | "active" | "expired" | "revoked";

/** A view of one moment; times are milliseconds since the Unix epoch. */
export interface GroupKey {
  readonly gmkId: KeyId;
  /** Own GUK-ID, which stands in the MKI of own media. */
  readonly gukId: KeyId;
  /** MC service group IDs that use the key, without those that were left. */
  readonly groups: readonly string[];
  readonly state: GroupKeyState;
  readonly activation: number;
  /** Undefined: never. */
  readonly expiry: number | undefined;
  readonly text: string;
  /** URI of the GMS; undefined for one that stayed hidden. */
  readonly gmsUri: string | undefined;
  readonly profile: SrtpProfile | undefined;
  /** The ring keeps and destroys it. Undefined once the key was revoked. */
  readonly key: DeliveredKey | undefined;
}

/** One that may be used. */
export interface UsableGroupKey extends GroupKey {
  readonly state: "pending" | "active";
  readonly key: DeliveredKey;
}

/** E.6.4, E.6.10: from activation to expiry, the latter included. */
export function stateAt(
  { activation, expiry, revoked }: Pick<GroupKey, "activation" | "expiry"> & { readonly revoked: boolean },
  now: number,
): GroupKeyState {
  if (revoked) return "revoked";
  if (expiry !== undefined && now > expiry) return "expired";
  return now < activation ? "pending" : "active";
}
