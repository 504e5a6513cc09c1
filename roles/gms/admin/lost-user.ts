/** The lost radio, from the KMS to the last member: one call that may be broken off and made again. */
import { pause } from "../../../base/deadline.ts";
import type { Caller } from "../common/caller.ts";
import type { GmsAdmin, LostUser } from "../common/ports.ts";

export interface LostUserOptions {
  readonly userUri: string;
  readonly caller: Caller;
  readonly reason: string;
  /** The KMS that keys the user; undefined where somebody else revokes the user there. */
  readonly kms: { revokeUser(userUri: string, reason: string): Promise<void> } | undefined;
  readonly gms: Pick<GmsAdmin, "loseUser" | "lostUser">;
  /** Milliseconds between two looks. A second when absent. */
  readonly lookMs?: number;
  /** Ends the waiting, not what was begun. */
  readonly signal?: AbortSignal;
  readonly wait?: (milliseconds: number) => Promise<void>;
}

/**
 * Revokes the user at the KMS, then takes them out of all groups, and tells how far that is until everybody else has said
 * that they have the new keys and know that the old ones are revoked, or the signal comes.
 */
export async function* loseUserEverywhere(options: LostUserOptions): AsyncGenerator<LostUser> {
  const { userUri, caller, reason, kms, gms, lookMs = 1000, signal, wait = pause } = options;
  // First: whoever is revoked gets no keys for the messages that follow.
  await kms?.revokeUser(userUri, reason);
  let lost = await gms.loseUser(caller, userUri);
  yield lost;
  while (!lost.done && !signal?.aborted) {
    await wait(lookMs);
    lost = await gms.lostUser(userUri);
    yield lost;
  }
}
