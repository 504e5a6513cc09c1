/**
 * The main job in one go. A GMK is sealed to every member and opened by every member; then a tampered and a
 * replayed message, and a member who was removed, are refused.
 */
import {
  type Core,
  destroyPlan,
  equal,
  formatKeyId,
  groupIds,
  type Initiator,
  MikeySakkeError,
  type OpenedMessage,
  openMessage,
  planSeal,
  type SealedMessage,
  type SealPlan,
  type SealRequest,
  sealGroup,
  systemRandom,
  wipe,
} from "../../bindings/index.ts";
import type { Progress } from "../progress.ts";
import {
  DemoKms,
  GROUP_URI,
  loadReceiver,
  type Member,
  makeMember,
  memberUri,
  openContext,
  unloadReceiver,
} from "./group.ts";

export interface Step {
  readonly name: string;
  readonly count: number;
  readonly ms: number;
}

export interface Refusal {
  readonly what: string;
  readonly check: number | undefined;
  readonly code: string;
}

export interface DemoResult {
  readonly members: number;
  readonly gmkId: string;
  /** Octets of one message. */
  readonly messageOctets: number;
  readonly sealed: number;
  readonly opened: number;
  readonly steps: readonly Step[];
  readonly refusals: readonly Refusal[];
}

export type StartProgress = (label: string, total: number) => Progress;

/** Few enough for the progress to move and for the keys of many members not to be in memory together. */
const BATCH = 64;

/** `count` is at least 2. Throws when anything comes out otherwise than it must. */
export async function runScenario(
  core: Core,
  count: number,
  startProgress: StartProgress,
): Promise<DemoResult> {
  const now = Date.now();
  const clock = new StepClock(startProgress);
  const kms = new DemoKms(core, now);
  const gms = kms.makeGms();
  const plans: SealPlan[] = [];
  try {
    const members = issueKeys(kms, count, clock);
    const uris = members.map((member) => member.keySet.userUri);
    const parameters = { groups: groupIds([GROUP_URI]), text: "demo" };

    const plan = planFor(gms, { kind: "GMK", members: uris.map((uri) => ({ uri })), parameters }, now, plans);
    const sealing = { gms, kms, clock };
    const messages = await sealAll(plan, "seal the GMK", sealing);
    const opened = await openAll(members, messages, plan, kms, now, clock);

    const rest = uris.slice(0, -1).map((uri) => ({ uri }));
    const nextPlan = planFor(gms, { kind: "GMK", members: rest, parameters }, now, plans);
    const next = await sealAll(nextPlan, "seal a new GMK without one", sealing);
    const revocation = planFor(gms, revocationOf(plan, uris.at(-1)!), now, plans);
    const [notice] = await sealAll(revocation, "seal a revocation", sealing);

    const [first, last] = [members[0]!, members.at(-1)!];
    const tampered = messages[1]!.octets.slice();
    tampered[tampered.length >> 1]! ^= 1;
    const attempt = (what: string, member: Member, octets: Uint8Array) =>
      refusalOf(what, openMessage(octets, openContext(member, kms.domain, now)));
    const refusals = [
      await attempt("tampered message", members[1]!, tampered),
      await attempt("replayed message", first, messages[0]!.octets),
      await attempt("another member's message, by the removed member", last, next[0]!.octets),
      await attempt("old GMK, revoked for the removed member", last, notice!.octets),
    ];
    for (const member of [first, members[1]!, last]) unloadReceiver(member);
    return {
      members: count,
      gmkId: formatKeyId(plan.keyId),
      messageOctets: messages[0]!.octets.length,
      sealed: messages.length,
      opened,
      steps: clock.steps,
      refusals,
    };
  } finally {
    for (const plan of plans) destroyPlan(plan);
    gms.destroy();
    kms.destroy();
  }
}

function issueKeys(kms: DemoKms, count: number, clock: StepClock): Member[] {
  const members: Member[] = [];
  const progress = clock.progress("issue identity keys", count);
  for (let at = 0; at < count; at += BATCH) {
    const uris = Array.from({ length: Math.min(BATCH, count - at) }, (_, i) => memberUri(at + i + 1));
    const keySets = clock.time("issue identity keys", uris.length, () => kms.issue(uris));
    members.push(...keySets.map(makeMember));
    progress.update(members.length);
  }
  progress.end();
  return members;
}

function planFor(gms: Initiator, request: SealRequest, now: number, plans: SealPlan[]): SealPlan {
  const plan = planSeal(request, { initiator: gms, random: systemRandom, now });
  plans.push(plan);
  return plan;
}

/** The same key and RAND under the same GMK-ID, with the Status that revokes it (TS 33.180 E.6.9). */
function revocationOf(plan: SealPlan, uri: string): SealRequest {
  const { kind, key, keyId, rand } = plan;
  return { kind, key, keyId, rand, members: [{ uri }], parameters: { revoked: true } };
}

async function sealAll(
  plan: SealPlan,
  step: string,
  { gms, kms, clock }: { gms: Initiator; kms: DemoKms; clock: StepClock },
): Promise<SealedMessage[]> {
  const messages: SealedMessage[] = [];
  const progress = clock.progress(step, plan.members.length);
  const started = performance.now();
  const keys = { initiator: gms, domains: [kms.domain], random: systemRandom };
  for await (const batch of sealGroup(plan, keys, { batchSize: BATCH })) {
    messages.push(...batch);
    progress.update(messages.length);
  }
  clock.add(step, messages.length, performance.now() - started);
  progress.end();
  return messages;
}

/** Each member opens its message; all must get the key that was sealed. Returns how many did. */
async function openAll(
  members: readonly Member[],
  messages: readonly SealedMessage[],
  plan: SealPlan,
  kms: DemoKms,
  now: number,
  clock: StepClock,
): Promise<number> {
  const progress = clock.progress("verify and open", members.length);
  let opened = 0;
  for (let at = 0; at < members.length; at += BATCH) {
    const batch = members.slice(at, at + BATCH);
    clock.time("load members' keys, check RSK", batch.length, () => {
      for (const member of batch) loadReceiver(member, kms.domain);
    });
    for (const [i, member] of batch.entries()) {
      const context = openContext(member, kms.domain, now);
      const result = await clock.timeAsync("verify and open", 1, () =>
        openMessage(messages[at + i]!.octets, context),
      );
      requireKey(result, plan);
      unloadReceiver(member);
      progress.update(++opened);
    }
  }
  progress.end();
  return opened;
}

function requireKey(result: OpenedMessage, plan: SealPlan): void {
  if (result.outcome !== "accepted") throw new Error("a message was not accepted");
  const key = result.key.reveal();
  const same = equal(key, plan.key) && result.keyId === plan.keyId;
  wipe(key);
  result.key.destroy();
  if (!same) throw new Error("a member got another key than the one sealed");
}

/** What must be refused, or be an authentic notice that the key is revoked. */
async function refusalOf(what: string, opening: Promise<OpenedMessage>): Promise<Refusal> {
  let result: OpenedMessage;
  try {
    result = await opening;
  } catch (error) {
    if (!(error instanceof MikeySakkeError) || error.check === undefined) throw error;
    return { what, check: error.check, code: error.code };
  }
  if (result.outcome === "revoked") return { what, check: result.check, code: result.code };
  result.key.destroy();
  throw new Error(`${what}: was accepted`);
}

/** Adds up the time of each step. Work between the measured calls does not count. */
class StepClock {
  readonly progress: StartProgress;
  readonly #steps = new Map<string, { count: number; ms: number }>();

  constructor(progress: StartProgress) {
    this.progress = progress;
  }

  get steps(): Step[] {
    return Array.from(this.#steps, ([name, { count, ms }]) => ({ name, count, ms }));
  }

  add(name: string, count: number, ms: number): void {
    const step = this.#steps.get(name) ?? { count: 0, ms: 0 };
    this.#steps.set(name, { count: step.count + count, ms: step.ms + ms });
  }

  time<T>(name: string, count: number, work: () => T): T {
    const started = performance.now();
    const result = work();
    this.add(name, count, performance.now() - started);
    return result;
  }

  async timeAsync<T>(name: string, count: number, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.add(name, count, performance.now() - started);
    return result;
  }
}
