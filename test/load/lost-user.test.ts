/**
 * A lost radio in a group whose members are all subscribed: seconds until the last of the others has acknowledged the new
 * GMK, and that the old one is revoked. MIKEY_SAKKE_LONG=1 makes it a group of 1,000, as `npm run test:lost` does.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loseUserEverywhere } from "../../roles/gms/admin/lost-user.ts";
import type { LostUser } from "../../roles/gms/common/ports.ts";
import { GROUP, HOST, OPERATOR, type RunningGms, startGms } from "../gms/foreign/running-gms.ts";
import { memberUri, newMembers } from "../gms/memory-gms.ts";
import { type ClientProcess, startClients } from "./client-process.ts";

const LONG = process.env.MIKEY_SAKKE_LONG === "1";
const MEMBERS = LONG ? 1000 : 50;
/** Seconds. The default of 30 is only waited for. */
const GRACE = LONG ? 30 : 2;
const LOST = memberUri(0);

describe(`a lost radio in a group of ${MEMBERS}`, () => {
  let running: RunningGms;
  let clients: ClientProcess;

  beforeAll(async () => {
    running = await startGms({
      workers: 1,
      config: {
        sip: { host: HOST, tcpPort: 0 },
        policy: { revokeGrace: GRACE },
        limits: { subscriptions: MEMBERS },
      },
    });
    await running.gms.admin.createGroup(OPERATOR, { uri: GROUP, members: newMembers(MEMBERS) });
    await running.sealed();
    const issuerJwk = running.issuer.exportPrivateJwk();
    const job = { port: running.tcp, issuerJwk, first: 0, count: MEMBERS, silent: [], refusing: [] };
    clients = startClients(job);
    expect((await clients.order("subscribe")).subscribed).toBe(MEMBERS);
  }, 600_000);
  afterAll(async () => {
    await clients?.stop();
    await running?.close();
  });

  it("is shut out by all other members, who report it", async () => {
    const { admin } = running.gms;
    const [first] = await admin.rekeys({ groupUri: GROUP, limit: 1 });
    const acknowledged = async () => (await admin.rekeyStatus(first!.id)).counts.acknowledged;
    await expect.poll(acknowledged, { timeout: 300_000, interval: 100 }).toBe(MEMBERS);

    const begun = performance.now();
    const seconds = () => (performance.now() - begun) / 1000;
    let keyed: number | undefined;
    let last: LostUser | undefined;
    const common = { userUri: LOST, caller: OPERATOR, reason: "radio lost", kms: undefined, gms: admin };
    for await (last of loseUserEverywhere({ ...common, lookMs: 100 })) {
      if (last.withoutKey.length === 0) keyed ??= seconds();
    }
    const done = seconds();
    expect(last).toMatchObject({ done: true, groups: [], withoutKey: [], unaware: [] });
    expect(last!.gmks.map(({ state }) => state)).toEqual(["revoked"]);
    const rekeys = await admin.rekeys({ groupUri: GROUP, limit: 10 });
    expect(rekeys.map(({ kind, cause }) => `${kind}, ${cause}`)).toEqual([
      "revoke, holder removed",
      "distribute, member removed",
      "distribute, group created",
    ]);
    process.stderr.write(
      `the last of ${MEMBERS - 1} has the new key after ${keyed!.toFixed(1)} s, ` +
        `and knows that the old one is revoked after ${done.toFixed(1)} s, of which ${GRACE} s are grace\n`,
    );
  }, 900_000);
});
