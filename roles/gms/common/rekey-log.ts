/**
 * The log lines of a rekey: all have the trace ID of the operation that it belongs to. At level info a rekey of any size has one
 * line when it is planned and one when it is done, and a line for each member whose message went wrong.
 */
import { defined } from "../../../base/defined.ts";
import { traceIdOf } from "../../../base/traceparent.ts";
import type { GmsStore } from "../../../store/gms/gms-store.ts";
import type { DeliveryResult, GktpRecord, RekeyRecord } from "../../../store/gms/records.ts";
import { loggable } from "./errors.ts";
import type { GmsLog } from "./log.ts";

/** The fields of a log line that name a rekey. */
export function ofRekey(rekey: number, traceparent: string | undefined): { traceId?: string; rekey: number } {
  const traceId = traceIdOf(traceparent);
  return { ...defined({ traceId }), rekey };
}

type Message = Omit<GktpRecord, "octets">;
type Transport = "sip" | "http";

function ofMessage({ rekey, memberUri, traceparent }: Message): object {
  return { ...ofRekey(rekey, traceparent), member: memberUri };
}

/** A message goes out. */
export function logSent(log: GmsLog, message: Message, transport: Transport): void {
  log.debug({ ...ofMessage(message), transport }, "message sent");
}

/** Logs what came of a message that went out, by the member's answer or for lack of one. */
export function logOutcome(
  log: GmsLog,
  message: Message,
  transport: Transport,
  { state, status, reason }: Pick<DeliveryResult, "state" | "status" | "reason">,
): void {
  const facts = { ...ofMessage(message), transport, state, ...defined({ status, reason }) };
  if (state === "acknowledged") log.debug(facts, "member answered");
  else if (state === "refused") log.warn(facts, "member answered");
  else log.info(facts, "message not taken");
}

export function logPlanned(log: GmsLog, record: RekeyRecord): void {
  const { id, traceparent, kind, cause, actor, groups, gmkId, total } = record;
  const facts = { ...ofRekey(id, traceparent), kind, cause, actor, groups, gmkId: digitsOf(gmkId) };
  log.info({ ...facts, members: total }, "rekey planned");
}

/** The rekeys have ended. Does not reject. */
export async function logDone(
  { log, store }: { readonly log: GmsLog; readonly store: Pick<GmsStore, "rekey"> },
  rekeys: readonly number[],
): Promise<void> {
  for (const rekey of rekeys) {
    try {
      const record = await store.rekey(rekey);
      if (record === undefined) continue;
      const { traceparent, gmkId, total, counts } = record;
      const states = Object.fromEntries(Object.entries(counts).filter(([, members]) => members > 0));
      const facts = { ...ofRekey(rekey, traceparent), gmkId: digitsOf(gmkId), members: total, ...states };
      log.info(facts, "rekey done");
    } catch (error) {
      log.warn({ rekey, ...loggable(error) }, "a rekey is done, and could not be read");
    }
  }
}

function digitsOf(gmkId: number): string {
  return gmkId.toString(16).padStart(8, "0");
}
