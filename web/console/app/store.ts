/** The state of the page, as signals, and the events that it comes with. */
import { batch, computed, effect, signal } from "@preact/signals";
import type { AlarmView, FeedEvents, HealthView, LostView } from "../../../roles/console/messages.ts";
import type { Changed, NewMember, RekeyOptions } from "../../../roles/gms/common/ports.ts";
import type { ClockReset } from "../../../store/gms/clock.ts";
import type {
  DeliveryRecord,
  GmkRecord,
  GroupRecord,
  GroupSettings,
  MemberRecord,
  RekeyRecord,
} from "../../../store/gms/records.ts";
import { say } from "../../client/app/notice.ts";
import { api, session } from "./api.ts";
import { history, loadHistory, takeSample } from "./history.ts";
import { loadCalls, takeCall } from "./past-calls.ts";
import { subject, view } from "./route.ts";
import { errorText } from "./words.ts";

/** As many as the events tell one by one. */
export const MOST_MEMBERS = 5000;
const PAGE = 1000;
const RECENT = 20;

export const groups = signal<readonly GroupRecord[] | undefined>(undefined);
/** By number. */
export const rekeys = signal<ReadonlyMap<number, RekeyRecord>>(new Map());
/** Emergency calls, the oldest first. */
export const alarms = signal<readonly AlarmView[]>([]);
export const lost = signal<readonly LostView[]>([]);
export const calls = signal<FeedEvents["calls"]>({ sessions: [], clients: [] });
export const health = signal<readonly HealthView[]>([]);
export const processes = signal<FeedEvents["processes"]["processes"]>([]);
export const isLive = signal(false);

export const groupUri = computed(() => (view.value === "groups" ? subject.value : undefined));
export const members = signal<readonly MemberRecord[] | undefined>(undefined);
export const gmks = signal<readonly GmkRecord[]>([]);
/** States in the group that is looked at, by rekey and member. */
const states = new Map<number, Map<string, DeliveryRecord>>();
/** Goes up when `states` has changed. */
const version = signal(0);
/** The rekey that was chosen; the newest when undefined. */
export const chosenRekey = signal<number | undefined>(undefined);

export const group = computed(() => groups.value?.find(({ uri }) => uri === groupUri.value));
/** The newest first. */
export const groupRekeys = computed(() =>
  [...rekeys.value.values()]
    .filter((rekey) => groupUri.value !== undefined && rekey.groups.includes(groupUri.value))
    .sort((a, b) => b.id - a.id),
);
export const shownRekey = computed(
  () => groupRekeys.value.find(({ id }) => id === chosenRekey.value) ?? groupRekeys.value[0],
);
export const shownStates = computed<ReadonlyMap<string, DeliveryRecord>>(() => {
  version.value;
  const id = shownRekey.value?.id;
  return new Map(id === undefined ? [] : states.get(id));
});

const path = (uri: string) => `/gms/v1/groups/${encodeURIComponent(uri)}`;

async function pages<T>(
  from: string,
  list: string,
  key: (one: T) => string,
  most = MOST_MEMBERS,
): Promise<T[]> {
  const found: T[] = [];
  for (let after = ""; found.length < most; after = key(found.at(-1)!)) {
    const query = new URLSearchParams({ limit: String(PAGE), ...(after !== "" && { after }) });
    const page = (await api<Record<string, T[]>>("GET", `${from}?${query}`))[list]!;
    found.push(...page);
    if (page.length < PAGE) break;
  }
  return found;
}

export async function loadGroups(): Promise<void> {
  groups.value = await pages<GroupRecord>("/gms/v1/groups", "groups", ({ uri }) => uri);
}

async function loadGroup(uri: string): Promise<void> {
  const [ofGroup, keys, recent] = await Promise.all([
    pages<MemberRecord>(`${path(uri)}/members`, "members", (member) => member.uri),
    api<{ gmks: GmkRecord[] }>("GET", `${path(uri)}/gmks`),
    api<{ rekeys: RekeyRecord[] }>(
      "GET",
      `/gms/v1/rekeys?${new URLSearchParams({ group: uri, limit: String(RECENT) })}`,
    ),
  ]);
  if (groupUri.value !== uri) return;
  batch(() => {
    members.value = ofGroup;
    gmks.value = keys.gmks;
    take(recent.rekeys);
  });
}

async function loadAlarms(): Promise<void> {
  alarms.value = (await api<{ alarms: AlarmView[] }>("GET", "/alarms")).alarms;
}

async function loadLost(): Promise<void> {
  lost.value = (await api<{ lost: LostView[] }>("GET", "/lost")).lost;
}

/** The states of a rekey, once. */
async function loadStates(rekey: number): Promise<void> {
  if (states.has(rekey)) return;
  states.set(rekey, new Map());
  const found = await pages<DeliveryRecord>(
    `/gms/v1/rekeys/${rekey}/deliveries`,
    "deliveries",
    ({ memberUri }) => memberUri,
  ).catch((error: unknown) => {
    states.delete(rekey);
    throw error;
  });
  takeStates(rekey, found);
}

function take(some: readonly RekeyRecord[]): void {
  const next = new Map(rekeys.value);
  for (const rekey of some) next.set(rekey.id, rekey);
  rekeys.value = next;
}

function takeStates(rekey: number, deliveries: readonly DeliveryRecord[]): void {
  const known = states.get(rekey) ?? new Map<string, DeliveryRecord>();
  states.set(rekey, known);
  for (const delivery of deliveries) {
    const before = known.get(delivery.memberUri);
    // An answer to a question may come after the event that tells more.
    if (before === undefined || before.changedAt <= delivery.changedAt)
      known.set(delivery.memberUri, delivery);
  }
  version.value++;
}

function reload(work: Promise<void>): void {
  work.catch((error: unknown) => {
    say(errorText(error));
  });
}

/** Changes that wait for the next frame, in which all are drawn at once. */
let waiting: (() => void)[] = [];
function soon(work: () => void): void {
  waiting.push(work);
  if (waiting.length > 1) return;
  // A page in the background has no frames.
  const flush = () => {
    const all = waiting;
    waiting = [];
    batch(() => {
      for (const one of all) one();
    });
  };
  if (document.hidden) setTimeout(flush, 100);
  else requestAnimationFrame(flush);
}

let source: EventSource | undefined;

function listen(watched: string | undefined): () => void {
  const events = new EventSource(
    watched === undefined ? "/events" : `/events?${new URLSearchParams({ group: watched })}`,
  );
  source = events;
  const on = <N extends keyof FeedEvents>(name: N, take: (data: FeedEvents[N]) => void) =>
    events.addEventListener(name, ({ data }: MessageEvent<string>) => {
      const value = JSON.parse(data) as FeedEvents[N];
      soon(() => source === events && take(value));
    });
  on("hello", () => {
    isLive.value = true;
    states.clear();
    reload(loadGroups());
    reload(loadLost());
    reload(loadAlarms());
    reload(loadCalls());
    if (history.value !== undefined) reload(loadHistory());
    if (watched !== undefined) reload(loadGroup(watched));
    const shown = shownRekey.value;
    if (shown !== undefined) reload(loadStates(shown.id));
  });
  on("groups", ({ groups: changed }) => {
    reload(loadGroups());
    if (watched !== undefined && changed.includes(watched)) reload(loadGroup(watched));
  });
  on("rekey", (rekey) => {
    const before = rekeys.value.get(rekey.id);
    take([rekey]);
    // A new key, or the end of one.
    const isOurs = watched !== undefined && rekey.groups.includes(watched);
    if (isOurs && before?.state !== rekey.state) reload(loadGroup(watched));
  });
  on("deliveries", ({ rekey, deliveries }) => takeStates(rekey, deliveries));
  on("lost", (one) => {
    lost.value = [...lost.value.filter(({ user }) => user !== one.user), one];
  });
  on("calls", (now) => {
    calls.value = now;
  });
  on("call", takeCall);
  on("health", (now) => {
    health.value = now;
  });
  on("alarms", (now) => {
    alarms.value = now;
  });
  on("processes", (now) => {
    processes.value = now.processes;
  });
  on("sample", takeSample);
  on("bye", () => {
    session.value = undefined;
  });
  events.onerror = () => {
    isLive.value = false;
    // What refuses us for good ends the source: the session may be over.
    if (events.readyState === EventSource.CLOSED) void api("GET", "/session").catch(() => undefined);
  };
  return () => events.close();
}

/** Events of the group that is looked at, as long as one is signed in. */
export function follow(): void {
  const isIn = computed(() => session.value !== null && session.value !== undefined);
  effect(() => {
    const watched = groupUri.value;
    if (!isIn.value) return undefined;
    batch(() => {
      states.clear();
      members.value = undefined;
      gmks.value = [];
      chosenRekey.value = undefined;
    });
    return listen(watched);
  });
  effect(() => {
    const id = shownRekey.value?.id;
    if (id !== undefined && isIn.value && isLive.value) reload(loadStates(id));
  });
}

export const change = {
  createGroup: (uri: string, newMembers: readonly NewMember[], settings: Partial<GroupSettings>) =>
    api<Changed>("POST", "/gms/v1/groups", { uri, members: newMembers, settings }),
  setGroup: (uri: string, settings: Partial<GroupSettings>, revision: number) =>
    api<Changed>("PATCH", path(uri), settings, { "if-match": `"${revision}"` }),
  deleteGroup: (uri: string) => api("DELETE", path(uri)),
  addMembers: (uri: string, newMembers: readonly NewMember[]) =>
    api<Changed>("POST", `${path(uri)}/members`, { members: newMembers }),
  removeMember: (uri: string, member: string) =>
    api("POST", `${path(uri)}/members/remove`, { uris: [member] }),
  setPriority: (uri: string, member: string, priority: number | undefined) =>
    api<Changed>("PATCH", `${path(uri)}/members/${encodeURIComponent(member)}`, {
      priority: priority ?? null,
    }),
  rekey: (uri: string, options: RekeyOptions) => api("POST", `${path(uri)}/rekeys`, options),
  revokeGmk: (gmkId: string) => api("POST", `/gms/v1/gmks/${gmkId}/revoke`),
  resetClock: () => api<ClockReset>("POST", "/gms/v1/clock/reset"),
  acknowledge: (id: number) => api("POST", "/alarms/acknowledge", { id }),
  loseUser: (user: string, reason: string) => api<LostView>("POST", "/lost", { user, reason }),
};
