/** Short data for members who are away: kept for them, and brought when they are back, on sockets of this machine. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { utf8 } from "../../../bindings/index.ts";
import { SDS_DISPOSITION_REQUESTS, SDS_DISPOSITIONS } from "../../../bindings/mcdata/index.ts";
import type { SendDataOptions } from "../../../roles/client/mcx/index.ts";
import { ALICE, BOB, CAROL, type Device, GROUP, McxWorld, NAMES, until } from "./mcx-server.ts";

const TEXT = 1;

function textsOf({ events }: Device): string[] {
  return events.flatMap((event) =>
    event.type === "data" ? event.payloads.map(({ data }) => new TextDecoder().decode(data)) : [],
  );
}

describe("short data for a member who is away", () => {
  let world: McxWorld;
  let alice: Device;

  beforeEach(async () => {
    world = await McxWorld.create({ limits: { messagesPerUser: 2 } });
    world.directory.groups.set(GROUP, new Set(NAMES));
    alice = await world.device(ALICE);
    await alice.client.bind();
  });
  afterEach(() => world.close());

  /** Binds a user, who then leaves. */
  async function away(user: string): Promise<void> {
    const { client } = await world.device(user);
    await client.bind();
    await client.close();
    await until(() => !world.clients.users().includes(user));
  }

  async function say(text: string): Promise<void> {
    await alice.client.send(GROUP, [{ contentType: TEXT, data: utf8(text) }]);
  }

  const kept = (count: number) => until(() => world.counts.mcdata_kept === count);

  it("is brought in its order when they bind again, once, and the oldest gives way to what is too much", async () => {
    await away(BOB);
    for (const [n, text] of ["one", "two", "three"].entries()) {
      await say(text);
      await kept(n + 1);
    }
    const bob = await world.device(BOB);
    await bob.client.bind();
    await until(() => textsOf(bob).length === 2);
    expect(textsOf(bob)).toEqual(["two", "three"]);
    await say("four");
    await until(() => textsOf(bob).length === 3);
    expect(textsOf(bob)).toEqual(["two", "three", "four"]);
    expect(world.counts.mcdata_kept).toBe(3);
  });

  it("is kept for nobody who is no member, when it is sent or when they are back", async () => {
    await away(BOB);
    await away(CAROL);
    world.directory.remove(GROUP, CAROL);
    await say("north gate");
    await kept(1);
    world.directory.groups.get(GROUP)!.add(CAROL);
    world.directory.remove(GROUP, BOB);
    const [bob, carol] = [await world.device(BOB), await world.device(CAROL)];
    await Promise.all([bob.client.bind(), carol.client.bind()]);
    await say("south gate");
    await until(() => textsOf(carol).length > 0);
    expect(textsOf(carol)).toEqual(["south gate"]);
    expect(textsOf(bob)).toEqual([]);
  });
});

describe("a text that does not reach a member", () => {
  let world: McxWorld;
  let alice: Device;
  const toldOf = ({ events }: Device) => events.filter((event) => event.type === "data-notification");

  async function start(limits: object): Promise<void> {
    world = await McxWorld.create({ limits });
    world.directory.groups.set(GROUP, new Set(NAMES));
    alice = await world.device(ALICE);
    await alice.client.bind();
  }
  afterEach(() => world.close());

  const say = (
    text: string,
    how: SendDataOptions = { dispositionRequest: SDS_DISPOSITION_REQUESTS.DELIVERY },
  ) => alice.client.send(GROUP, [{ contentType: TEXT, data: utf8(text) }], how);

  const undelivered = (ids: object, from: string) =>
    expect.objectContaining({ groupUri: GROUP, from, disposition: SDS_DISPOSITIONS.UNDELIVERED, ...ids });

  it("is reported to its sender at once for members who were never bound, if they want to know", async () => {
    await start({});
    const bob = await world.device(BOB);
    await bob.client.bind();
    await say("nobody asks", {});
    const ids = await say("north gate");
    await until(() => toldOf(alice).length > 0);
    await until(() => textsOf(bob).length === 2);
    expect(toldOf(alice)).toEqual([undelivered(ids, CAROL)]);
    expect(toldOf(bob)).toEqual([]);
    expect(world.counts.mcdata_undelivered).toBe(1);
  });

  it("is reported when it has been kept for too long, and when it gives way to others", async () => {
    await start({ messagesPerUser: 1, keepMessages: 3 });
    world.directory.groups.set(GROUP, new Set([ALICE, BOB]));
    const { client } = await world.device(BOB);
    await client.bind();
    await client.close();
    await until(() => !world.clients.users().includes(BOB));
    const one = await say("one");
    const two = await say("two");
    await until(() => toldOf(alice).length === 1);
    expect(toldOf(alice)).toEqual([undelivered(one, BOB)]);
    await until(() => toldOf(alice).length === 2);
    expect(toldOf(alice)[1]).toEqual(undelivered(two, BOB));
  });
});
