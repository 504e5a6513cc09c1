/**
 * The main job, on sockets of this machine. Servers give identity keys to the members of a group and a GMK to each, over
 * SIP (5.7.2.x) and over HTTPS (5.7.2.y); then a new GMK, and one without a member who is removed; a call and short data
 * under that key; and its revocation.
 */
import { pause } from "../../base/deadline.ts";
import { defined } from "../../base/defined.ts";
import type { Core } from "../../bindings/core/core.ts";
import { formatKeyId, type KeyId, wipe } from "../../bindings/index.ts";
import type { GmsAdminClient } from "../../roles/gms/admin/client.ts";
import type { RekeyRecord } from "../../store/gms/records.ts";
import { monotonicClock } from "../call/monotonic-clock.ts";
import { readRunning } from "../gms/running-file.ts";
import { OPERATOR, withGmsAdmin } from "../gms/with-admin.ts";
import { type StartProgress, StepClock, type Work } from "./clock.ts";
import { Crowd } from "./crowd.ts";
import { playMedia } from "./media.ts";
import type { DemoMember } from "./member.ts";
import { type DemoResult, Report, unexpected } from "./report.ts";
import { startServers } from "./servers.ts";
import { until } from "./waiting.ts";

const GROUP = "sip:fire@example.org";
/** A few of the members and the MCX server, which is given the key and mixes. */
const MIXED_GROUP = "sip:command@example.org";
const MIXED_MEMBERS = 3;
const LOOK_MS = 2000;
const ALIVE_MS = 60_000;
/** The servers say nothing until they are ready: keys and tables are made. */
const START_MS = 300_000;

interface Stage {
  readonly admin: GmsAdminClient;
  /** Identity of the MCX server. */
  readonly mcxUri: string;
  readonly crowd: Crowd;
  readonly clock: StepClock;
  readonly report: Report;
}

/** `count` is at least 3. What it had found out when something failed, it tells too. */
export async function runScenario(
  core: Core,
  count: number,
  startProgress: StartProgress,
): Promise<DemoResult> {
  const clock = new StepClock(startProgress, monotonicClock);
  const report = new Report();
  let crowd: Crowd | undefined;
  let failure: unknown;
  // Members hold nothing that does when their sockets are closed.
  const alive = setInterval(() => undefined, ALIVE_MS);
  try {
    const servers = await clock.time("start KMS, GMS and MCX server", 1, startServers, START_MS);
    try {
      const running = await readRunning(servers.folder);
      const uris = Array.from({ length: count }, (_, i) => `sip:member${i + 1}@example.org`);
      const all = new Crowd(uris, { core, folder: servers.folder, running });
      crowd = all;
      try {
        await withGmsAdmin({ dataDir: servers.folder }, (admin) =>
          play({ admin, crowd: all, clock, report, mcxUri: running.mcx!.uri }),
        );
        await all.close();
        await servers.stop();
      } catch (error) {
        // Looked at before anything else ends them.
        const fault = await servers.fault();
        await all.abandon();
        throw fault ?? error;
      }
    } finally {
      await servers.discard();
    }
  } catch (error) {
    failure = error;
  } finally {
    clearInterval(alive);
  }
  failure ??= report.failure;
  return {
    members: count,
    sip: crowd?.of("sip").length ?? 0,
    http: crowd?.of("http").length ?? 0,
    ...report.shown,
    steps: clock.steps,
    ...defined({ failure }),
  };
}

async function play(stage: Stage): Promise<void> {
  const { admin, crowd, clock, report, mcxUri } = stage;
  const { members } = crowd;
  // Not the last one, who is removed later.
  const mixing = members.slice(0, Math.max(2, Math.min(MIXED_MEMBERS, members.length - 1)));
  const count = members.length;
  await clock.time("get identity keys from the KMS", count, (step) =>
    crowd.each(members, (member) => member.provision(), step),
  );
  const created = await clock.time("create the group, seal a GMK", count, async (step) => {
    const group = { uri: GROUP, members: members.map(({ uri }) => ({ uri })) };
    const { rekeys } = await admin.createGroup(OPERATOR, group);
    return sealed(admin, rekeys[0]!, step);
  });
  const mixed = await admin.createGroup(OPERATOR, {
    uri: MIXED_GROUP,
    members: [...mixing.map(({ uri }) => ({ uri })), { uri: mcxUri, kind: "mcx-server" }],
  });
  await clock.time("subscribe or fetch, check, store", count, async (step) => {
    // A client of HTTPS looks once.
    await sealed(admin, mixed.rekeys[0]!, uncounted(step));
    const groupsOf = (member: DemoMember) => [GROUP, ...(mixing.includes(member) ? [MIXED_GROUP] : [])];
    const connected = crowd.each(members, (member) => member.connect(groupsOf(member)), uncounted(step));
    await Promise.all([connected, crowd.until(members, created.gmkId, "active", step)]);
    await acknowledged(admin, created, step);
  });
  agreement(report, "first GMK, the same for all", members, created);

  const second = await admin.rekey(OPERATOR, GROUP);
  await delivered(stage, "rekey", second, members);
  agreement(report, "second GMK, the same for all", members, second);

  const removed = members.at(-1)!;
  const staying = members.slice(0, -1);
  const { rekeys } = await admin.removeMembers(OPERATOR, GROUP, [removed.uri]);
  const third = rekeys[0]!;
  await delivered(stage, "remove a member, rekey the others", third, staying);
  // Whatever the removed member asks for now brings nothing, and may be refused; over SIP they subscribe again much later.
  await Promise.race([removed.look().catch(() => undefined), pause(LOOK_MS)]);
  agreement(report, "third GMK, the same for those who stay", staying, third);
  report.check(
    "third GMK, held by the removed member (must be 0)",
    holders([removed], third.gmkId, "active"),
    1,
    0,
  );

  await clock.time("give the MCX server the key of a group to mix", mixing.length + 1, async (step) => {
    await crowd.until(mixing, mixed.rekeys[0]!.gmkId, "active", step);
    await acknowledged(admin, mixed.rekeys[0]!, step);
  });
  await playMedia({ ...stage, group: GROUP, mixedGroup: MIXED_GROUP, staying, removed, mixing });

  const revocation = await admin.revokeGmk(OPERATOR, third.gmkId);
  await delivered(stage, "revoke the third GMK", revocation, staying, "revoked");
  report.check("third GMK, revoked", holders(staying, third.gmkId, "revoked"), staying.length);
}

/** From the operator's word to the answer of the last member. */
async function delivered(
  { admin, crowd, clock }: Stage,
  name: string,
  rekey: RekeyRecord,
  members: readonly DemoMember[],
  state = "active",
): Promise<void> {
  await clock.time(name, members.length, async (step) => {
    const arrived = crowd.until(members, rekey.gmkId, state, step);
    const looked = sealed(admin, rekey, uncounted(step)).then(() =>
      crowd.each(
        members.filter(({ way }) => way === "http"),
        (member) => member.look(),
        uncounted(step),
      ),
    );
    await Promise.all([arrived, looked]);
    await acknowledged(admin, rekey, step);
  });
}

/** Returns the step for work that goes on beside what it counts. */
function uncounted(step: Work): Work {
  return { ...step, update: step.goesOn };
}

/** All messages are sealed and stored. */
async function sealed(admin: GmsAdminClient, { id }: RekeyRecord, step: Work): Promise<RekeyRecord> {
  let rekey = await admin.rekeyStatus(id);
  await until(async () => {
    rekey = await admin.rekeyStatus(id);
    step.update(rekey.total - rekey.counts.planned);
    if (rekey.sealedAt !== undefined) return true;
    if (rekey.state !== "running") throw unexpected(`rekey ${id} ended as ${rekey.state}, unsealed`);
    return false;
  }, step);
  return rekey;
}

/** Every member has said that it has it. A report over HTTP comes some time after the message was fetched. */
async function acknowledged(admin: GmsAdminClient, { id }: RekeyRecord, step: Work): Promise<void> {
  let text = "";
  let most = 0;
  step.lacks(() => text);
  await until(async () => {
    const { counts, total } = await admin.rekeyStatus(id);
    if (counts.acknowledged > most) step.goesOn();
    most = Math.max(most, counts.acknowledged);
    text = `rekey ${id}: acknowledged by ${counts.acknowledged} of ${total}`;
    if (counts.refused > 0) throw unexpected(`${text}, refused by ${counts.refused}`);
    return counts.acknowledged === total;
  }, step);
}

/** All have one key, octet for octet. */
function agreement(
  report: Report,
  what: string,
  members: readonly DemoMember[],
  { gmkId }: RekeyRecord,
): void {
  const key = members[0]!.reveal(gmkId);
  const held = key === undefined ? 0 : members.filter((member) => member.hasKey(gmkId, key)).length;
  if (key !== undefined) wipe(key);
  report.gmkIds.push(formatKeyId(gmkId));
  report.check(what, held, members.length);
}

function holders(members: readonly DemoMember[], gmkId: KeyId, state: string): number {
  return members.filter((member) => member.stateOf(gmkId) === state).length;
}
