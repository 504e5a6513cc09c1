/**
 * Users whom the KMS of this process revokes leave all groups of its GMS. TS 33.180 has no message for that between the two,
 * so the database says it: also what was revoked while the GMS stood still.
 */
import { operator } from "../../roles/gms/common/caller.ts";
import type { GmsAdmin } from "../../roles/gms/common/ports.ts";
import type { ServerLog } from "../../roles/server/log.ts";

const LOOK_MS = 2000;
const KMS = operator("kms");

export interface RevokedUsersOptions {
  /** Users revoked at that time or later, in milliseconds since the Unix epoch. */
  readonly revokedSince: (
    at: number,
  ) => Promise<readonly { readonly uri: string; readonly revokedAt: number }[]>;
  readonly gms: Pick<GmsAdmin, "loseUser">;
  readonly log: ServerLog;
}

/** Returns what ends it, once what is under way has ended. */
export function removeRevokedUsers({ revokedSince, gms, log }: RevokedUsersOptions): () => Promise<void> {
  const done = new Map<string, number>();
  let since = 0;
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    try {
      for (const { uri, revokedAt } of await revokedSince(since)) {
        if (stopped) return;
        if (done.get(uri) !== revokedAt) await gms.loseUser(KMS, uri);
        done.set(uri, revokedAt);
        since = Math.max(since, revokedAt);
      }
      for (const [uri, at] of done) if (at < since) done.delete(uri);
    } catch (error) {
      log.error({ detail: String(error) }, "revoked users were not removed from their groups");
    }
  }

  function next(): void {
    if (stopped) return;
    running = look();
    void running.then(() => {
      if (!stopped) timer = setTimeout(next, LOOK_MS);
    });
  }

  next();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
