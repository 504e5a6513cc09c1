/** Documents that change, appear and go: patches, and what a user is a member of (RFC 5874, RFC 5875). */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { groupDocumentPath } from "../../../documents/group-xml/index.ts";
import { BOB, GROUP, type GroupWorld, makeGroupWorld, OTHER_GROUP, type Sealed } from "./device.ts";
import { adding, diff, GKTP, GROUP_DOCUMENT, initial, listed, TestGms } from "./gms.ts";

let world: GroupWorld;
let gms: TestGms;

beforeAll(async () => {
  world = await makeGroupWorld();
});
beforeEach(async () => {
  gms = await TestGms.create(world);
});
afterEach(() => gms.close());

const change = (from: string, to: string, ...patches: readonly object[]) =>
  ({ sel: GKTP, previousEtag: from, newEtag: to, patches }) as ReturnType<typeof initial>;
const add = ({ octets }: Sealed) => adding(octets)[0]!;
const OK = { status: 200 };

describe("patches of XCAP documents", () => {
  it("apply to the previous version, and only new messages are opened", async () => {
    const [a, b, c] = await Promise.all([world.seal(), world.seal(), world.seal()]);
    gms.current = () => diff([initial("1", a.octets), listed]);
    await gms.start();
    expect(await gms.notify([change("1", "2", add(b))])).toMatchObject(OK);
    expect(await gms.notify([change("2", "3", { remove: 1 }, add(c))])).toMatchObject(OK);
    expect(await gms.notify([change("3", "4", { remove: 2 })])).toMatchObject(OK);
    expect(gms.outcomes()).toEqual(["stored", "stored", "stored"]);
    // A key that leaves the document is still used for reception.
    expect(gms.ring.keys(GROUP)).toHaveLength(3);
    expect(gms.subscribes).toHaveLength(1);
  });

  it("apply after a refusal to the previous version, or to the refused one", async () => {
    const [a, b, c] = await Promise.all([world.seal(), world.seal(), world.seal()]);
    const bad = await world.seal({ to: BOB });
    gms.current = () => diff([initial("1", a.octets), listed]);
    await gms.start();
    expect(await gms.notify([change("1", "2", add(bad), add(b))])).toMatchObject({ status: 488 });
    expect(await gms.notify([change("1", "3", add(b))])).toMatchObject(OK);
    expect(await gms.notify([change("3", "4", add(bad))])).toMatchObject({ status: 488 });
    expect(await gms.notify([change("4", "5", { remove: 3 }, add(c))])).toMatchObject(OK);
    expect(gms.subscribes).toHaveLength(1);
    expect(gms.outcomes()).toEqual(["stored", "NOT_FOR_ME", "stored", "known", "NOT_FOR_ME", "stored"]);
  });

  it("to an unknown version bring their keys, and the client subscribes anew", async () => {
    const [a, b] = await Promise.all([world.seal(), world.seal()]);
    await gms.start();
    gms.current = () => diff([initial("9", a.octets, b.octets), listed]);
    expect(await gms.notify([change("7", "8", { remove: 1 }, add(b))])).toMatchObject(OK);
    expect(gms.outcomes()).toEqual(["stored"]);
    expect(gms.ends.map(({ cause }) => cause)).toEqual(["unsubscribed"]);
    await gms.pass(4000);
    expect(gms.subscribes).toHaveLength(3);
    expect(gms.outcomes()).toEqual(["stored", "known"]);
    expect(await gms.notify([change("9", "10", { remove: 2 })])).toMatchObject(OK);
    await gms.pass(10_000);
    expect(gms.subscribes).toHaveLength(3);
  });

  it("that remove what is not there count as patches to an unknown version", async () => {
    await gms.start();
    gms.current = () => diff([listed]);
    expect(await gms.notify([initial("1", (await world.seal()).octets)])).toMatchObject(OK);
    expect(await gms.notify([change("1", "2", { remove: 5 })])).toMatchObject(OK);
    await gms.pass(4000);
    expect(gms.subscribes).toHaveLength(3);
  });

  it("that are missing leave no way to the keys without HTTP, and the host is told", async () => {
    await gms.start();
    expect(await gms.notify([{ sel: GKTP, newEtag: "5" }])).toMatchObject(OK);
    expect(gms.events.at(-1)).toMatchObject({ type: "failed", error: { code: "NO_WAY_TO_KEYS" } });
    await gms.pass(60_000);
    expect(gms.subscribes).toHaveLength(1);
  });
});

describe("membership in a group", () => {
  it("ends with the group document, and the keys of the group are dropped", async () => {
    const [own, shared] = [await world.seal(), await world.seal({ groups: [GROUP, OTHER_GROUP] })];
    gms.current = () => diff([initial("1", own.octets, shared.octets), listed]);
    await gms.start({ groups: [GROUP, OTHER_GROUP] });
    const { key } = gms.ring.byGmkId(own.gmk.keyId)!;
    gms.events.length = 0;
    expect(
      await gms.notify([change("1", "2", { remove: 1 }), { sel: GROUP_DOCUMENT, previousEtag: "1" }]),
    ).toMatchObject(OK);
    expect(() => key.reveal()).toThrow("destroyed");
    expect(gms.ring.keys(GROUP)).toEqual([]);
    expect(gms.ring.keys(OTHER_GROUP)).toHaveLength(1);
    expect(gms.events).toMatchObject([
      { type: "key", change: "left" },
      { type: "not-member", groupUri: GROUP },
    ]);
    // Back again, with a new key.
    const next = await world.seal();
    expect(await gms.notify([listed, change("2", "3", add(next))])).toMatchObject(OK);
    expect(gms.types()).toContain("member");
    expect(gms.ring.keys(GROUP)).toHaveLength(2);
  });

  it("that ended while the client was away shows in the first NOTIFY", async () => {
    const [left, kept, carried] = await Promise.all(
      [GROUP, OTHER_GROUP, "sip:third@home.example"].map((group) => world.seal({ groups: [group] })),
    );
    const other = { sel: groupDocumentPath(OTHER_GROUP), newEtag: "1" };
    gms.current = () => diff([initial("1", left!.octets, kept!.octets, carried!.octets), listed, other]);
    await gms.start({ groups: "all" });
    expect(gms.ring.groups()).toHaveLength(3);
    await gms.stop();
    gms.ring.close();
    gms.events.length = 0;
    gms.current = () => diff([initial("2", carried!.octets), other]);
    await gms.start({ groups: "all" });
    expect(gms.ring.groups()).toEqual([OTHER_GROUP, "sip:third@home.example"]);
    expect(gms.events).toContainEqual({ type: "not-member", groupUri: GROUP });
  });

  it("does not end by a NOTIFY without a body, by a later NOTIFY, or for groups of another GMS", async () => {
    const { octets } = await world.seal();
    gms.current = () => diff([initial("1", octets), listed]);
    await gms.start();
    await gms.notify([{ sel: GKTP, newEtag: "0" }]);
    expect(gms.ring.groups()).toEqual([GROUP]);
    await gms.stop();
    gms.ring.close();
    gms.current = () => ({});
    await gms.start();
    expect(gms.ring.groups()).toEqual([GROUP]);
    await gms.stop();
    gms.ring.close();
    gms.current = () => diff([]);
    await gms.start({
      gms: { uri: "sip:other@home.example", sipUri: "sip:gms@10.0.0.2;transport=tcp" },
    });
    expect(gms.ring.groups()).toEqual([GROUP]);
  });
});
