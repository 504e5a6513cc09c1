/** The calls of groups that the MCX server keeps, those that go on included. */
import { computed, signal } from "@preact/signals";
import type { CallRecord, TalkRecord } from "../../../roles/mcx/admin/metrics.ts";
import { api, session } from "./api.ts";

/** The most calls that the page keeps: as many as the server does. */
const MOST_CALLS = 1000;

type Calls = ReadonlyMap<number, CallRecord>;

/** The calls by number, the oldest first. */
export const pastCalls = signal<Calls>(new Map());

/** The latest talk that is over, by group. */
export const lastHeard = computed<ReadonlyMap<string, TalkRecord>>(() => {
  const heard = new Map<string, TalkRecord>();
  for (const { groupUri, last } of pastCalls.value.values())
    if (last !== undefined) heard.set(groupUri, last);
  return heard;
});

/** The calls that events have told since they began: these are newer than the answer to a question asked then. */
let told: Calls = new Map();

export function takeCall(call: CallRecord): void {
  told = withCalls(told, [call]);
  pastCalls.value = withCalls(pastCalls.value, [call]);
}

/** Asks for all calls. To be called when events begin, so that nothing is missed between the answer and the events. */
export async function loadCalls(): Promise<void> {
  told = new Map();
  if (session.value?.servers.includes("mcx") !== true) return;
  const { calls } = await api<{ calls: readonly CallRecord[] }>("GET", "/mcx/v1/calls");
  pastCalls.value = withCalls(withCalls(new Map(), calls), told.values());
}

function withCalls(known: Calls, calls: Iterable<CallRecord>): Calls {
  const all = new Map(known);
  for (const call of calls) all.set(call.id, call);
  return new Map([...all].slice(-MOST_CALLS));
}
