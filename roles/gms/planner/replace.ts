/** New GMKs in place of those that groups have. The groups are locked. */
import type { GmsTransaction } from "../../../store/gms/gms-transaction.ts";
import type { GmkRecord, GmkState, GroupRecord } from "../../../store/gms/records.ts";
import type { RekeyOptions } from "../common/ports.ts";
import type { PlanDeps, Why } from "./deps.ts";
import { replaceAt } from "./due.ts";
import { distributeNew } from "./messages.ts";

export type ReplaceOptions = Omit<RekeyOptions, "sharedWith">;

/**
 * Locks groups, in order, and those that share GMKs with them. Returns them by URI; a group that is missing does not exist.
 * Processes that find a new sharing in different orders wait for each other; the database lets one of them begin again.
 */
export async function lockGroups(
  tx: GmsTransaction,
  uris: readonly string[],
): Promise<Map<string, GroupRecord>> {
  const locked = new Map<string, GroupRecord>();
  let wanted = [...new Set(uris)].sort();
  const seen = new Set<string>();
  while (wanted.length > 0) {
    const sharing = new Set<string>();
    for (const uri of wanted) {
      seen.add(uri);
      const group = await tx.lockGroup(uri);
      if (group === undefined) continue;
      locked.set(uri, group);
      for (const gmk of liveOf(await tx.gmks(uri))) for (const other of gmk.groups) sharing.add(other);
    }
    wanted = [...sharing].filter((uri) => !seen.has(uri)).sort();
  }
  return locked;
}

export function liveOf(gmks: readonly GmkRecord[]): GmkRecord[] {
  return gmks.filter(({ state }) => state === "live");
}

const REVOCATIONS = 16;

/**
 * GMKs that holders may still use: live ones, and of those that were retired before the last. What was retired long ago
 * is kept for reception at most, and a message to each member for every one of years of GMKs would help nobody.
 */
export function worthRevoking(gmks: readonly GmkRecord[], now: number): GmkRecord[] {
  return gmks
    .filter(({ state, expiry }) => state !== "revoked" && (expiry === undefined || expiry > now))
    .sort((a, b) => b.id - a.id)
    .slice(0, REVOCATIONS);
}

/** The sets of groups that live GMKs of a group are for, each once; the group alone when there is no live GMK. */
export function sharingOf(groupUri: string, live: readonly GmkRecord[]): (readonly string[])[] {
  const sets = new Map(live.map(({ groups }) => [JSON.stringify(groups), groups]));
  return sets.size === 0 ? [[groupUri]] : [...sets.values()];
}

/**
 * One new GMK for each set of groups, to all their members. GMKs whose groups are all within one of the sets are
 * retired when the new one begins to be used (E.6.4), so that newcomers have one to speak under until then; at once
 * where they are to be revoked, and not at all with `keep`. Others stay live, since groups that get no new one use
 * them. A set without members gets none.
 */
export async function replaceGmks(
  tx: GmsTransaction,
  deps: PlanDeps,
  sets: readonly (readonly string[])[],
  options: ReplaceOptions,
  why: Why,
): Promise<number[]> {
  const groups = [...new Set(sets.flat())].sort();
  const old = options.keep === true ? [] : (await gmksOf(tx, groups)).filter(isWithin(sets));
  const begin = beginOf(deps, options);
  const isLater = begin > deps.now() && options.revokeOld !== true;
  const live = liveOf(old);
  if (isLater && live.length > 0) {
    const ids = live.map(({ id }) => id);
    await tx.retireAt(ids, begin);
  }
  const passedOn = isLater ? [] : await withdraw(tx, deps, live, "retired");
  const revocable = options.revokeOld === true ? worthRevoking(old, deps.now()) : [];
  const rekeys: number[] = [];
  for (const set of sets) {
    const members = await tx.members(set);
    if (members.length === 0) continue;
    const own = revocable.filter(isWithin([set])).map(({ id }) => id);
    const revokeAfter = [...new Set([...own, ...passedOn.splice(0)])];
    const facts = await factsOf(tx, deps, set, { ...options, begin });
    rekeys.push(...(await distributeNew(tx, deps, facts, members, { ...why, revokeAfter })));
  }
  await reschedule(tx, deps, groups);
  return rekeys;
}

/**
 * GMKs that nobody gets any more: what is still to be distributed of them is superseded, revocations are not. Returns
 * GMKs that were to be revoked after that; the rekey that takes its place sees to it.
 */
export async function withdraw(
  tx: GmsTransaction,
  { now }: Pick<PlanDeps, "now">,
  gmks: readonly GmkRecord[],
  state: Exclude<GmkState, "live">,
): Promise<number[]> {
  if (gmks.length === 0) return [];
  const ids = new Set(gmks.map(({ id }) => id));
  const running = new Set<number>();
  for (const uri of new Set(gmks.flatMap(({ groups }) => groups))) {
    for (const { id, gmk, kind } of await tx.runningRekeys(uri)) {
      if (kind !== "revoke" && ids.has(gmk)) running.add(id);
    }
  }
  const revocations = running.size > 0 ? await tx.supersede([...running], now()) : [];
  await tx.setGmkState([...ids], state);
  return revocations;
}

/** Sets the time of the next rekey of groups by the GMKs they have now. */
export async function reschedule(
  tx: GmsTransaction,
  deps: PlanDeps,
  groupUris: readonly string[],
): Promise<void> {
  for (const uri of groupUris) {
    const group = await tx.lockGroup(uri);
    if (group !== undefined) await tx.setNextRekey(uri, await nextRekeyOf(tx, deps, group));
  }
}

/** Until a group is looked at again at the earliest. */
const SOONEST_MS = 1000;

/** For each set of groups, the newest GMK counts: it is in use now or will be. The others will expire. */
async function nextRekeyOf(
  tx: GmsTransaction,
  deps: PlanDeps,
  { uri, settings }: GroupRecord,
): Promise<number | undefined> {
  const live = liveOf(await tx.gmks(uri));
  const times = [
    ...newestOf(live).map((gmk) => replaceAt(gmk, settings, dueRules(deps))),
    ...live.map(({ expiry }) => expiry),
  ].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.max(Math.min(...times), deps.now() + SOONEST_MS);
}

export function newestOf(live: readonly GmkRecord[]): GmkRecord[] {
  const newest = new Map<string, GmkRecord>();
  for (const gmk of live) {
    const set = JSON.stringify(gmk.groups);
    const other = newest.get(set);
    if (other === undefined || gmk.activation >= other.activation) newest.set(set, gmk);
  }
  return [...newest.values()];
}

export function dueRules({ config, keys }: PlanDeps) {
  return { policy: config.policy, periods: keys.current().initiator.domain.rule };
}

async function gmksOf(tx: GmsTransaction, groupUris: readonly string[]): Promise<GmkRecord[]> {
  const found = new Map<number, GmkRecord>();
  for (const uri of groupUris) for (const gmk of await tx.gmks(uri)) found.set(gmk.id, gmk);
  return [...found.values()];
}

function isWithin(sets: readonly (readonly string[])[]): (gmk: GmkRecord) => boolean {
  const wholes = sets.map((set) => new Set(set));
  return ({ groups }) => wholes.some((whole) => groups.every((uri) => whole.has(uri)));
}

/** Times are those of the key parameters, which have whole seconds. */
async function factsOf(
  tx: GmsTransaction,
  { config }: PlanDeps,
  groups: readonly string[],
  { begin, expiry, text }: ReplaceOptions & { readonly begin: number },
) {
  const settings = [];
  for (const uri of groups) settings.push((await tx.lockGroup(uri))!.settings);
  const lifetimes = settings.flatMap(({ gmkLifetimeMs }) => gmkLifetimeMs ?? []);
  const lifetime = lifetimes.length > 0 ? Math.min(...lifetimes) : config.policy.gmkLifetime * 1000;
  return {
    groups: [...groups].sort(),
    activation: begin,
    expiry: wholeSeconds(expiry ?? (lifetime > 0 ? begin + lifetime : undefined)),
    text: text ?? "",
  };
}

/** When a new GMK begins to be used. */
function beginOf({ config, now }: PlanDeps, { activation }: ReplaceOptions): number {
  return wholeSeconds(activation ?? now() + config.policy.activationDelay * 1000);
}

function wholeSeconds<T extends number | undefined>(ms: T): T {
  return (ms === undefined ? undefined : Math.floor(ms / 1000) * 1000) as T;
}
