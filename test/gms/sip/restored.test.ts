/** A database put back from a backup under clients that went on: all get one new key, and none a second time. */
import { expect, it } from "vitest";
import { MemoryReceiverState } from "../../../bindings/mikey/index.ts";
import { loadSnapshot } from "../../../store/backup/load.ts";
import { writeSnapshot } from "../../../store/database/snapshot.ts";
import { givenClock } from "../../../store/database/sql-clock.ts";
import { dropTables } from "../../support/empty-pglite.ts";
import { newMembers } from "../memory-gms.ts";
import { ADMIN, GROUP, Setup } from "./support/gms.ts";
import type { Member } from "./support/member.ts";

const MEMBERS = 8;
/** Rekeys of which the backup knows nothing. */
const LATER = 3;

/** A client with what outlives its subscriptions: the messages that it has accepted. */
interface Client {
  member: Member;
  readonly state: MemoryReceiverState;
  readonly keyIds: number[];
  read: number;
}

it("after a restore every subscribed client has the newest key, and none is given a key twice", {
  timeout: 60_000,
}, async () => {
  const setup = await Setup.create();
  const { world, clock } = setup;
  const clients: Client[] = [];

  /** Opens what has come since, with all that the client has seen before. */
  async function open(client: Client, number: number): Promise<void> {
    const entries = client.member.heard.flatMap(({ added }) => added);
    for (const { octets } of entries.slice(client.read)) {
      const { state } = client;
      const opened = await world.open(octets, number, { state, now: clock.now() });
      expect(opened.outcome).toBe("accepted");
      client.keyIds.push(opened.keyId);
    }
    client.read = entries.length;
  }
  const openAll = () => Promise.all(clients.map(open));

  const admin = () => setup.gms.context.admin;
  const { rekeys } = await admin().createGroup(ADMIN, { uri: GROUP, members: newMembers(MEMBERS) });
  for (let i = 0; i < MEMBERS; i++) {
    const member = await setup.member(i);
    member.subscribe();
    clients.push({ member, state: new MemoryReceiverState(), keyIds: [], read: 0 });
  }
  const allHave = (id: number) => async () =>
    (await setup.states(id)).filter((state) => state === "acknowledged").length === MEMBERS;
  await setup.until(allHave(rekeys[0]!.id));
  await openAll();
  const lines: string[] = [];
  await writeSnapshot(world.db, async (text) => void lines.push(...text.trimEnd().split("\n")));
  for (let i = 0; i < LATER; i++) {
    await setup.pass(1000);
    await setup.until(allHave((await admin().rekey(ADMIN, GROUP)).id));
  }
  await openAll();

  await setup.end(setup.gms);
  await dropTables(world.db);
  const given = (async function* () {
    yield* lines;
  })();
  await loadSnapshot(world.db, given, { clock: givenClock(() => clock.now()) });
  await setup.pass(1000);
  const restoredAt = clock.now();
  const { host } = await setup.begin("10.0.0.9");
  for (const [i, client] of clients.entries()) {
    client.member = await setup.member(i, {
      gms: `sip:gms@${host}`,
      address: { host: `10.2.0.${i}`, port: 5060 },
    });
    client.read = 0;
    client.member.subscribe();
  }
  const restored = async () =>
    (await admin().rekeys({ groupUri: GROUP, limit: 10 })).find(
      ({ cause }) => cause === "restored from a backup",
    );
  await setup.until(async () => {
    const rekey = await restored();
    return rekey !== undefined && (await allHave(rekey.id)());
  });
  const seconds = ((clock.now() - restoredAt) / 1000).toFixed(1);
  await setup.pass(5000);
  await openAll();
  const { gmkId } = (await restored())!;
  for (const { keyIds } of clients) {
    expect(keyIds.at(-1)).toBe(gmkId);
    expect(new Set(keyIds).size).toBe(keyIds.length);
  }
  const opened = clients.reduce((sum, { keyIds }) => sum + keyIds.length, 0);
  console.log(
    `restored under ${MEMBERS} clients: all have the new key ${seconds} s of virtual time after the start, ` +
      `${opened} messages were opened, 0 keys came twice`,
  );
  await setup.close();
});
