/** Follows a rekey until it has ended, and tells who did not get the key. */
import type { GmsAdminClient } from "../../roles/gms/admin/client.ts";
import type { GmsAdmin } from "../../roles/gms/ports.ts";
import type { DeliveryRecord, RekeyRecord } from "../../store/gms/records.ts";
import type { Output } from "../output.ts";
import { STATES } from "./view.ts";

export interface WatchOptions {
  /** Milliseconds; whoever has not answered by then did not get the key. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Watched {
  readonly rekey: RekeyRecord;
  /** Those who did not acknowledge it, in order of URI. */
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
  // Not AbortSignal.any: Node.js 20 may collect a timeout that only the signal made of it still knows.
  const end = new AbortController();
  const abort = () => end.abort();
  const late = setTimeout(abort, timeoutMs);
  stop.addEventListener("abort", abort);
  const { signal } = end;
  let rekey: RekeyRecord | undefined;
  try {
    for await (rekey of admin.progress(id, { signal })) status.show(progressLine(rekey));
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearTimeout(late);
    stop.removeEventListener("abort", abort);
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
    await new Promise((resolve) => setTimeout(resolve, REPORT_WAIT_MS));
  }
}

function progressLine({ id, kind, total, counts }: RekeyRecord): string {
  const states = STATES.map((state) => `${state} ${counts[state]}`);
  return `rekey ${id} (${kind}), ${total} members: ${states.join(", ")}`;
}

async function missingOf(admin: GmsAdmin, { id, counts }: RekeyRecord): Promise<DeliveryRecord[]> {
  const found: DeliveryRecord[] = [];
  for (const state of NOT_THERE) {
    if (counts[state] === 0) continue;
    for (let after: string | undefined; ; ) {
      const page = await admin.deliveries(id, { state, limit: PAGE, ...(after !== undefined && { after }) });
      found.push(...page);
      if (page.length < PAGE) break;
      after = page.at(-1)!.memberUri;
    }
  }
  return found.sort((a, b) => (a.memberUri < b.memberUri ? -1 : 1));
}
