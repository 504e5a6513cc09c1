/** One message for each member: GUK-IDs, times and parameters are settled here, in the transaction of the change. */
import { wipe } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { type NtpTime, ntpFold, ntpUnfold } from "../../../bindings/identity/ntp.ts";
import { groupIds } from "../../../bindings/mikey/key-parameters.ts";
import {
  destroyPlan,
  type PlannedMember,
  planSeal,
  type SealPlan,
  type SealRequest,
} from "../../../bindings/mikey/plan.ts";
import type { GmsTransaction } from "../../../store/gms/gms-transaction.ts";
import type { GmkRecord, MemberRecord, NewGmk, RekeyKind } from "../../../store/gms/records.ts";
import { isError } from "../common/errors.ts";
import type { PlanDeps, Why } from "./deps.ts";

export type GmkFacts = Pick<NewGmk, "groups" | "activation" | "expiry" | "text">;

/** Some 2^28 GMK-IDs: that several in a row are taken is a broken generator. */
const MAX_DRAWS = 8;

/**
 * Draws a GMK, GMK-ID and RAND that give all members different GUK-IDs, and plans the messages. Returns the rekeys: one,
 * and another where members' KMSs are not known now, so that nobody else waits for their certificates.
 *
 * @throws MikeySakkeError usage `NO_SIGNING_KEY`: the GMS has no keys for the present period; `GUK_ID_COLLISION`;
 * transport `CLOCK_OFF`, `CLOCK_AHEAD`: one of the clocks is wrong
 */
export async function distributeNew(
  tx: GmsTransaction,
  deps: PlanDeps,
  facts: GmkFacts,
  members: readonly MemberRecord[],
  why: Why & { readonly revokeAfter?: readonly number[] },
): Promise<number[]> {
  const time = await reserve(tx, deps, members.length);
  for (let draw = 1; ; draw++) {
    const plan = settle(deps, facts, members, { time });
    try {
      const { keyId: gmkId, key, rand } = plan;
      const gmk = await tx.insertGmk({ ...facts, gmkId, key, rand }, deps.now());
      return await insert(tx, deps, { kind: "distribute", gmk: gmk.id, plan, members, ...why });
    } catch (error) {
      if (draw === MAX_DRAWS || !isError(error, "GMK_ID_EXISTS")) throw error;
    } finally {
      destroyPlan(plan);
    }
  }
}

/**
 * Plans messages with a GMK that is there, its GMK-ID and RAND: for members that have not got it, to renew, or to revoke.
 *
 * @throws MikeySakkeError usage `GUK_ID_COLLISION`: a member would share the GUK-ID of another recipient
 */
export async function distributeAgain(
  tx: GmsTransaction,
  deps: PlanDeps,
  kind: RekeyKind,
  gmk: GmkRecord,
  members: readonly MemberRecord[],
  why: Why & { readonly revokeAfter?: readonly number[] },
): Promise<number[]> {
  const time = await reserve(tx, deps, members.length);
  const { key, rand } = await tx.gmkSecret(gmk.id);
  try {
    const plan = settle(deps, gmk, members, {
      time,
      key,
      rand,
      keyId: gmk.gmkId,
      revoked: kind === "revoke",
    });
    try {
      requireUnique(plan.members, await tx.recipients(gmk.id));
      return await insert(tx, deps, { kind, gmk: gmk.id, plan, members, ...why });
    } finally {
      destroyPlan(plan);
    }
  } finally {
    wipe(key, rand);
  }
}

async function reserve(tx: GmsTransaction, deps: PlanDeps, count: number): Promise<NtpTime> {
  const { initiator } = deps.keys.current();
  deps.clock.requireRight();
  const time = await tx.reserveTimes(initiator.uri, count);
  // Rather now than when a chunk is sealed.
  initiator.keyAt(time);
  return time;
}

interface Given extends Pick<SealRequest, "key" | "keyId" | "rand"> {
  readonly time: NtpTime;
  readonly revoked?: boolean;
}

function settle(
  deps: PlanDeps,
  facts: GmkFacts,
  members: readonly MemberRecord[],
  { time, revoked = false, ...given }: Given,
): SealPlan {
  const { initiator } = deps.keys.current();
  const parameters = {
    revoked,
    activation: unixSeconds(facts.activation),
    // 0 is "never" (E.6.10).
    expiry: facts.expiry === undefined ? 0 : unixSeconds(facts.expiry),
    text: facts.text,
    groups: groupIds(facts.groups),
  };
  const request: SealRequest = { kind: "GMK", members: inOrder(deps, members), parameters, ...given };
  return planSeal(request, { initiator, random: deps.random, now: deps.now(), time });
}

/** Members of KMSs without a certificate last: their messages are a rekey of their own. */
function inOrder(deps: PlanDeps, members: readonly MemberRecord[]): MemberRecord[] {
  const isKnown = knownKms(deps);
  return [...members.filter(isKnown), ...members.filter((member) => !isKnown(member))];
}

/** Returns a test of whether the KMS of a member has a certificate here. */
export function knownKms({ keys }: Pick<PlanDeps, "keys">): (member: { kmsUri: string }) => boolean {
  const { domains, initiator } = keys.current();
  const known = new Set([...initiator.domains, ...domains].map((domain) => domain.kmsUri));
  return ({ kmsUri }) => known.has(kmsUri);
}

interface Insertion extends Why {
  readonly kind: RekeyKind;
  readonly gmk: number;
  readonly plan: SealPlan;
  readonly members: readonly MemberRecord[];
  readonly revokeAfter?: readonly number[];
}

async function insert(
  tx: GmsTransaction,
  deps: PlanDeps,
  { plan, members, revokeAfter = [], ...rest }: Insertion,
): Promise<number[]> {
  const byUri = new Map(members.map((member) => [member.uri, member]));
  const isKnown = knownKms(deps);
  const planned = plan.members.map(({ uri, csbId }) => ({ ...byUri.get(uri)!, csbId }));
  const known = planned.filter(isKnown).length;
  const rekeys: number[] = [];
  let parent = deps.traceparent;
  for (const [from, to] of [
    [0, known],
    [known, planned.length],
  ] as const) {
    if (from === to) continue;
    const { kind, cause } = rest;
    const attributes = {
      "mikey_sakke.kind": kind,
      "mikey_sakke.cause": cause,
      "mikey_sakke.members": to - from,
    };
    const span = deps.tracing.begin("gms.rekey", { parent, attributes });
    parent ??= span.traceparent;
    const rekey = {
      ...rest,
      traceparent: span.traceparent,
      time: ntpFold(ntpUnfold(plan.time) + BigInt(from)),
      members: planned.slice(from, to),
      parameters: plan.parameters!,
      chunkSize: deps.config.limits.chunkSize,
      now: deps.now(),
      ...(rekeys.length === 0 && revokeAfter.length > 0 && { revokeAfter }),
    };
    const id = await tx.insertRekey(rekey);
    rekeys.push(id);
    span.end(undefined, { "mikey_sakke.rekey": id });
  }
  return rekeys;
}

/** Over all recipients ever: media of two under one GMK and GUK-ID would share a key stream. */
function requireUnique(
  planned: readonly PlannedMember[],
  recipients: readonly { readonly uri: string; readonly csbId: number }[],
): void {
  const owners = new Map(recipients.map(({ uri, csbId }) => [csbId, uri]));
  for (const { uri, csbId } of planned) {
    const owner = owners.get(csbId);
    if (owner === undefined || owner === uri) continue;
    throw new MikeySakkeError("usage", "GUK_ID_COLLISION", `${uri}: would share the GUK-ID of ${owner}`);
  }
}

function unixSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}
