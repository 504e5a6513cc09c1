/**
 * The main job, on sockets of this machine. Servers give identity keys to the members of a group and a GMK to each, over
 * SIP (5.7.2.x) and over HTTPS (5.7.2.y); then a new GMK, and one without a member who is removed; a call and short data
 * under that key; and its revocation.
 */
import type { Core } from "../../bindings/core.ts";
import { MikeySakkeError } from "../../bindings/errors.ts";
import { formatKeyId, type KeyId, wipe } from "../../bindings/index.ts";
import type { GmsAdminClient } from "../../roles/gms/admin/client.ts";
import type { RekeyRecord } from "../../store/gms/records.ts";
import { readRunning } from "../gms/running-file.ts";
import { OPERATOR, withGmsAdmin } from "../gms/with-admin.ts";
import { type StartProgress, type Step, StepClock } from "./clock.ts";
import { Crowd } from "./crowd.ts";
import { playMedia } from "./media.ts";
import type { DemoMember } from "./member.ts";
import { startServers } from "./servers.ts";

export interface Check {
  readonly what: string;
  readonly held: number;
  readonly of: number;
}

export interface DemoResult {
  readonly members: number;
  readonly sip: number;
  readonly http: number;
  readonly gmkIds: readonly string[];
  readonly steps: readonly Step[];
  readonly checks: readonly Check[];
}

const GROUP = "sip:fire@example.org";
/** A few of the members and the MCX server, which is given the key and mixes. */
const MIXED_GROUP = "sip:command@example.org";
const MIXED_MEMBERS = 3;
/** The members have the key by then; what is left is to say so. */
const REPORT_MS = 30_000;
const POLL_MS = 50;
const LOOK_MS = 2000;

interface Stage {
  readonly admin: GmsAdminClient;
  /** Identity of the MCX server. */
  readonly mcxUri: string;
  readonly crowd: Crowd;
  readonly clock: StepClock;
}

/** `count` is at least 3. Throws when anything comes out otherwise than it must. */
export async function runScenario(
  core: Core,
  count: number,
  startProgress: StartProgress,
): Promise<DemoResult> {
  const clock = new StepClock(startProgress);
  const servers = await clock.time("start KMS, GMS and MCX server", 1, startServers);
  try {
    const running = await readRunning(servers.folder);
    const uris = Array.from({ length: count }, (_, i) => `sip:member${i + 1}@example.org`);
    const crowd = new Crowd(uris, { core, folder: servers.folder, running });
    try {
      const result = await withGmsAdmin({ dataDir: servers.folder }, (admin) =>
        play({ admin, crowd, clock, mcxUri: running.mcx!.uri }),
      );
      await crowd.close();
      await servers.stop();
      return { ...result, steps: clock.steps };
    } finally {
      await crowd.close();
    }
  } finally {
    await servers.discard();
  }
}

async function play(stage: Stage): Promise<Omit<DemoResult, "steps">> {
  const { admin, crowd, clock, mcxUri } = stage;
  const { members } = crowd;
  // Not the last one, who is removed later.
  const mixing = members.slice(0, Math.max(2, Math.min(MIXED_MEMBERS, members.length - 1)));
  const count = members.length;
  await clock.time("get identity keys from the KMS", count, (update) =>
    crowd.each(members, (member) => member.provision(), update),
  );
  const created = await clock.time("create the group, seal a GMK", count, async (update) => {
    const group = { uri: GROUP, members: members.map(({ uri }) => ({ uri })) };
    const { rekeys } = await admin.createGroup(OPERATOR, group);
    return sealed(admin, rekeys[0]!, update);
  });
  const mixed = await admin.createGroup(OPERATOR, {
    uri: MIXED_GROUP,
    members: [...mixing.map(({ uri }) => ({ uri })), { uri: mcxUri, kind: "mcx-server" }],
  });
  // Who looks over HTTPS looks once.
  await sealed(admin, mixed.rekeys[0]!);
  await clock.time("subscribe or fetch, check, store", count, async (update) => {
    const groupsOf = (member: DemoMember) => [GROUP, ...(mixing.includes(member) ? [MIXED_GROUP] : [])];
    const connected = crowd.each(members, (member) => member.connect(groupsOf(member)));
    await Promise.all([connected, crowd.until(members, created.gmkId, "active", update)]);
    await acknowledged(admin, created);
  });

  const checks = [agreement("first GMK, the same for all", members, created.gmkId)];

  const second = await admin.rekey(OPERATOR, GROUP);
  await delivered(stage, "rekey", second, members);
  checks.push(agreement("second GMK, the same for all", members, second.gmkId));

  const removed = members.at(-1)!;
  const staying = members.slice(0, -1);
  const { rekeys } = await admin.removeMembers(OPERATOR, GROUP, [removed.uri]);
  const third = rekeys[0]!;
  await delivered(stage, "remove a member, rekey the others", third, staying);
  // Whatever the removed member asks for now brings nothing, and may be refused; over SIP he subscribes again much later.
  const enough = new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  await Promise.race([removed.look().catch(() => undefined), enough]);
  checks.push(agreement("third GMK, the same for those who stay", staying, third.gmkId));
  checks.push(holders("third GMK, with the member who was removed", [removed], third.gmkId, "active", 0));

  await clock.time("give the MCX server the key of a group to mix", mixing.length + 1, async (update) => {
    await crowd.until(mixing, mixed.rekeys[0]!.gmkId, "active", update);
    await acknowledged(admin, mixed.rekeys[0]!);
  });
  const media = { crowd, clock, group: GROUP, mixedGroup: MIXED_GROUP, staying, removed, mixing };
  checks.push(...(await playMedia(media)));

  const revocation = await admin.revokeGmk(OPERATOR, third.gmkId);
  await delivered(stage, "revoke that GMK", revocation, staying, "revoked");
  checks.push(holders("third GMK, revoked", staying, third.gmkId, "revoked", staying.length));
  return {
    members: count,
    sip: crowd.of("sip").length,
    http: crowd.of("http").length,
    gmkIds: [created, second, third].map(({ gmkId }) => formatKeyId(gmkId)),
    checks,
  };
}

/** From the operator's word to the answer of the last member. */
async function delivered(
  { admin, crowd, clock }: Stage,
  name: string,
  rekey: RekeyRecord,
  members: readonly DemoMember[],
  state = "active",
): Promise<void> {
  await clock.time(name, members.length, async (update) => {
    const arrived = crowd.until(members, rekey.gmkId, state, update);
    const looked = sealed(admin, rekey).then(() =>
      crowd.each(
        members.filter(({ way }) => way === "http"),
        (member) => member.look(),
      ),
    );
    await Promise.all([arrived, looked]);
    await acknowledged(admin, rekey);
  });
}

/** All messages are sealed and stored. */
async function sealed(
  admin: GmsAdminClient,
  { id }: RekeyRecord,
  update: (done: number) => void = () => undefined,
): Promise<RekeyRecord> {
  for (;;) {
    const rekey = await admin.rekeyStatus(id);
    update(rekey.total - rekey.counts.planned);
    if (rekey.sealedAt !== undefined) return rekey;
    if (rekey.state !== "running") throw unexpected(`rekey ${id} ended as ${rekey.state}, unsealed`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Every member has said that it has it. A report over HTTP comes some time after the message was fetched. */
async function acknowledged(admin: GmsAdminClient, { id }: RekeyRecord): Promise<void> {
  const until = performance.now() + REPORT_MS;
  for (;;) {
    const { counts, total } = await admin.rekeyStatus(id);
    if (counts.acknowledged === total) return;
    if (counts.refused > 0 || performance.now() > until) {
      throw unexpected(`rekey ${id}: acknowledged by ${counts.acknowledged} of ${total}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** All have one key, octet for octet. */
function agreement(what: string, members: readonly DemoMember[], gmkId: KeyId): Check {
  const key = members[0]!.reveal(gmkId);
  const held = key === undefined ? 0 : members.filter((member) => member.hasKey(gmkId, key)).length;
  if (key !== undefined) wipe(key);
  return required({ what, held, of: members.length }, members.length);
}

function holders(
  what: string,
  members: readonly DemoMember[],
  gmkId: KeyId,
  state: string,
  expected: number,
): Check {
  const held = members.filter((member) => member.stateOf(gmkId) === state).length;
  return required({ what, held, of: members.length }, expected);
}

function required(check: Check, expected: number): Check {
  if (check.held === expected) return check;
  throw unexpected(`${check.what}: ${check.held} of ${check.of}, not ${expected}`);
}

function unexpected(text: string): MikeySakkeError {
  return new MikeySakkeError("verification", "DEMO_FAILED", text);
}
