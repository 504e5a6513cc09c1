/** Follows a rekey until it has ended, and tells who did not get the key. */
import { deadline, pause } from "../../base/deadline.ts";
import { defined } from "../../base/defined.ts";
import type { GmsAdminClient } from "../../roles/gms/admin/client.ts";
import type { GmsAdmin } from "../../roles/gms/common/ports.ts";
import type { DeliveryRecord, RekeyRecord } from "../../store/gms/records.ts";
import { counted, type Output } from "../terminal/output.ts";
import { STATES } from "./view.ts";

export interface WatchOptions {
  /** Milliseconds; a member who has not answered by then counts as not having the key. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Watched {
  readonly rekey: RekeyRecord;
  /** Members who did not acknowledge the rekey, in order of URI. */
  readonly missing: readonly DeliveryRecord[];
}

const PAGE = 1000;
const REPORT_TRIES = 25;
const REPORT_WAIT_MS = 200;
/** States in which a member has not got the key, or has not said so. */
const NOT_THERE = ["planned", "sealed", "delivered", "refused", "unreachable"] as const;

/** Ends when the rekey has, when the time is over, or with the signal. */
export async function watchRekey(
  admin: GmsAdminClient,
  id: number,
  { timeoutMs, signal: stop }: WatchOptions,
  output: Output,
): Promise<Watched> {
  const status = output.status();
  const end = deadline(timeoutMs, stop);
  const { signal } = end;
  let rekey: RekeyRecord | undefined;
  try {
    for await (rekey of admin.progress(id, { signal })) status.show(progressLine(rekey));
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    end.release();
    status.end();
  }
  rekey = await reported(admin, id, signal);
  return { rekey, missing: rekey.state === "superseded" ? [] : await missingOf(admin, rekey) };
}

/** Members that fetched the message report a little later, if they do at all. */
async function reported(admin: GmsAdmin, id: number, signal: AbortSignal): Promise<RekeyRecord> {
  for (let tries = 0; ; tries++) {
    const rekey = await admin.rekeyStatus(id);
    if (rekey.counts.delivered === 0 || signal.aborted || tries === REPORT_TRIES) return rekey;
    await pause(REPORT_WAIT_MS);
  }
}

function progressLine({ id, kind, total, counts }: RekeyRecord): string {
  const states = STATES.map((state) => `${state} ${counts[state]}`);
  return `rekey ${id} (${kind}), ${counted(total, "member")}: ${states.join(", ")}`;
}

async function missingOf(admin: GmsAdmin, { id, counts }: RekeyRecord): Promise<DeliveryRecord[]> {
  const found: DeliveryRecord[] = [];
  for (const state of NOT_THERE) {
    if (counts[state] === 0) continue;
    for (let after: string | undefined; ; ) {
      const page = await admin.deliveries(id, { state, limit: PAGE, ...defined({ after }) });
      found.push(...page);
      if (page.length < PAGE) break;
      after = page.at(-1)!.memberUri;
    }
  }
  return found.sort((a, b) => (a.memberUri < b.memberUri ? -1 : 1));
}
