/** Kills GMS processes at random moments of a rekey, and looks at what the next one makes of it. */
import { expect } from "vitest";
import type { DatabaseOptions } from "../../../store/index.ts";
import { LightClients } from "../../load/light-clients.ts";
import { HOST, makeIssuer } from "../foreign/running-gms.ts";
import { GMS_URI, memberUri } from "../memory-gms.ts";
import { checkGroup, groupState } from "./check.ts";
import { type GmsProcess, startGmsProcess } from "./gms-process.ts";
import type { GmsJob } from "./protocol.ts";

export interface Plan {
  readonly database: DatabaseOptions;
  readonly kills: number;
  readonly members: number;
}

export interface KillResult {
  readonly kills: number;
  /** Kills that left a rekey unsealed or a change unanswered. */
  readonly atWork: number;
}

/** Members with a subscription; the others find their keys in their documents only. */
const SUBSCRIBED = 20;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function killAgainAndAgain({ database, kills, members }: Plan): Promise<KillResult> {
  const issuer = await makeIssuer();
  const tokens = new Map<string, string>();
  const token = async (userUri: string) => {
    const made = tokens.get(userUri) ?? (await issuer.token({ userUri, now: Date.now(), lifetime: 86_400 }));
    tokens.set(userUri, made);
    return made;
  };
  const job: GmsJob = {
    database,
    workers: 2,
    instance: "gms",
    issuerJwk: issuer.exportPrivateJwk(),
    config: {
      sip: { host: HOST, tcpPort: 0 },
      limits: { chunkSize: 64, leaseSeconds: 2, pollMs: 100 },
    },
  };
  const start = () => startGmsProcess(job);
  /** Clients of the last of the members, who are not removed. */
  const subscribe = async (gms: GmsProcess): Promise<LightClients> => {
    const { tcp: port } = await gms.listening;
    const identities = Array.from({ length: SUBSCRIBED }, (_, i) => memberUri(members - 1 - i));
    const clients = await LightClients.open({
      host: HOST,
      port,
      gmsUri: GMS_URI,
      identities,
      token,
      connections: 1,
    });
    await clients.subscribe();
    return clients;
  };

  let gms = start();
  const begun = performance.now();
  await gms.listening;
  const starting = performance.now() - begun;
  await gms.order({ op: "create", members });
  const created = performance.now();
  await gms.order({ op: "sealed" });
  const sealing = performance.now() - created;
  await gms.stop();

  let [killed, atWork, removed] = [0, 0, 0];
  while (killed < kills) {
    gms = start();
    let clients = await subscribe(gms);
    const gone = memberUri(removed);
    const change = gms.order({ op: "remove", uris: [gone] });
    await pause(Math.random() * sealing);
    await gms.kill();
    clients.close();
    killed++;
    const said = await change;
    let state = await groupState(database);
    const committed = !state.members.has(gone);
    // A change that was answered has been committed.
    if (said !== undefined) expect(committed).toBe(true);
    if (committed) removed++;
    if (state.open || said === undefined) atWork++;
    expect(state.members.size).toBe(members - removed);
    expect(state.gmks).toBe(1 + removed);

    // Every third one that takes up the work is killed as well.
    if (killed % 3 === 0 && killed < kills) {
      gms = start();
      await pause(starting + Math.random() * sealing);
      await gms.kill();
      killed++;
      state = await groupState(database);
      if (state.open) atWork++;
      expect(state.members.size).toBe(members - removed);
    }

    gms = start();
    clients = await subscribe(gms);
    await gms.order({ op: "sealed" });
    const rekey = await gms.order({ op: "newest" });
    await gms.order({ op: "acknowledged", rekey: rekey!, count: SUBSCRIBED });
    clients.close();
    await gms.stop();
    const uris = Array.from({ length: removed }, (_, i) => memberUri(i));
    await checkGroup(database, uris, removed);
    if (process.env.MIKEY_SAKKE_LONG) {
      process.stderr.write(`${killed} of ${kills} kills, ${atWork} at work, ${removed} members removed\n`);
    }
  }
  return { kills: killed, atWork };
}
