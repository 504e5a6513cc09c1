/** Short data for members who are away: kept for them, and brought when they are back, on sockets of this machine. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { utf8 } from "../../../bindings/index.ts";
import { parseMcxConfig } from "../../../roles/mcx/common/config.ts";
import { Mailboxes } from "../../../roles/mcx/signalling/mailboxes.ts";
import { VirtualClock } from "../../support/clock.ts";
import { HOME_KMS } from "../../support/names.ts";
import { ALICE, BOB, CAROL, type Device, GROUP, MCX, McxWorld, NAMES, until } from "./mcx-server.ts";

const LIMITS = { messagesPerUser: 2, keepMessages: 60 };
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

describe("the mailboxes of users", () => {
  const sds = (text: string) => ({
    group: GROUP,
    sender: ALICE,
    signalling: new Uint8Array(),
    payload: utf8(text),
  });
  const open = (limits: object = LIMITS) => {
    const clock = new VirtualClock();
    const { limits: all } = parseMcxConfig({ mcxUri: MCX, kmsUri: HOME_KMS, limits });
    return { clock, mailboxes: new Mailboxes(all, clock) };
  };
  const texts = (mailboxes: Mailboxes, user: string) =>
    mailboxes.take(user).map((one) => new TextDecoder().decode(one.sds.payload));

  it("are of users who have been there lately, and keep a message for a while", async () => {
    const { clock, mailboxes } = open();
    expect(mailboxes.put(BOB, sds("to a stranger"))).toBe(false);
    mailboxes.seen(BOB);
    expect(mailboxes.put(BOB, sds("one"))).toBe(true);
    await clock.pass(50_000);
    mailboxes.seen(BOB);
    mailboxes.put(BOB, sds("two"));
    await clock.pass(20_000);
    expect(texts(mailboxes, BOB)).toEqual(["two"]);
    expect(texts(mailboxes, BOB)).toEqual([]);
    await clock.pass(60_000);
    expect(mailboxes.users()).toEqual([]);
    expect(mailboxes.put(BOB, sds("three"))).toBe(false);
  });

  it("keep the order of arrival when a message comes back that was tried while others came", async () => {
    const { clock, mailboxes } = open();
    mailboxes.seen(BOB);
    mailboxes.put(BOB, sds("one"));
    await clock.pass(1000);
    mailboxes.put(BOB, sds("two"));
    const [one, two] = mailboxes.take(BOB);
    await clock.pass(1000);
    mailboxes.put(BOB, sds("three"));
    mailboxes.put(BOB, two!.sds, two!.until);
    expect(texts(mailboxes, BOB)).toEqual(["two", "three"]);
    for (const { sds: again, until } of [one!, two!]) mailboxes.put(BOB, again, until);
    mailboxes.put(BOB, sds("four"));
    expect(texts(mailboxes, BOB)).toEqual(["two", "four"]);
  });

  it("keep nothing where no message may be kept for a user", () => {
    const { mailboxes } = open({ ...LIMITS, messagesPerUser: 0 });
    mailboxes.seen(BOB);
    expect(mailboxes.put(BOB, sds("one"))).toBe(false);
    expect(texts(mailboxes, BOB)).toEqual([]);
  });

  it("take no more octets than they may, and have room again when some are taken", () => {
    const { mailboxes } = open({ ...LIMITS, messageBytes: 2 * 520 });
    for (const user of NAMES) mailboxes.seen(user);
    const put = (user: string) => mailboxes.put(user, sds("12345678"));
    expect([put(ALICE), put(BOB), put(CAROL)]).toEqual([true, true, false]);
    expect(texts(mailboxes, ALICE)).toHaveLength(1);
    expect([put(CAROL), put(CAROL)]).toEqual([true, false]);
  });
});
