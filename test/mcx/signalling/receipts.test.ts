/** Acknowledgements of short data: what the sender asks for, and what each receiver tells (TS 24.282 12.2, 15.2.3, 15.2.5). */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { utf8 } from "../../../bindings/index.ts";
import { SDS_DISPOSITION_REQUESTS, SDS_DISPOSITIONS } from "../../../bindings/mcdata/index.ts";
import { ALICE, BOB, CAROL, type Device, GROUP, McxWorld, until } from "./mcx-server.ts";

const TEXT = [{ contentType: 1, data: utf8("units to the north gate") }];
const { DELIVERED, READ } = SDS_DISPOSITIONS;
const dispositionRequest = SDS_DISPOSITION_REQUESTS.DELIVERY_AND_READ;

const dataOf = ({ events }: Device) => events.filter((event) => event.type === "data");
const toldOf = ({ events }: Device) => events.filter((event) => event.type === "data-notification");

describe("a message whose sender asks for acknowledgements", () => {
  let world: McxWorld;
  let alice: Device;
  let bob: Device;

  beforeEach(async () => {
    world = await McxWorld.create();
    world.directory.groups.set(GROUP, new Set([ALICE, BOB]));
    [alice, bob] = [await world.device(ALICE), await world.device(BOB)];
    await alice.client.bind();
    await bob.client.bind();
  });
  afterEach(() => world.close());

  it("has each of them told to the sender alone, once, on a server without files too", async () => {
    const sent = await alice.client.send(GROUP, TEXT, { dispositionRequest });
    await until(() => dataOf(bob).length === 1);
    const [received] = dataOf(bob);
    expect(received).toMatchObject({ groupUri: GROUP, from: ALICE, dispositionRequest, ...sent });
    await bob.client.notify(received!, DELIVERED);
    await until(() => toldOf(alice).length === 1);
    await bob.client.notify(received!, DELIVERED);
    await bob.client.notify(received!, READ);
    await until(() => toldOf(alice).length === 2);
    const told = { groupUri: GROUP, from: BOB, ...sent };
    expect(toldOf(alice)).toMatchObject([
      { ...told, disposition: DELIVERED },
      { ...told, disposition: READ },
    ]);
    expect(world.counts.mcdata_repeated).toBe(1);
    expect(toldOf(bob)).toEqual([]);
  });

  it("is not asked for by others", async () => {
    await alice.client.send(GROUP, TEXT);
    await until(() => dataOf(bob).length === 1);
    expect(dataOf(bob)[0]).not.toHaveProperty("dispositionRequest");
  });

  it("is acknowledged by members to members alone", async () => {
    const carol = await world.device(CAROL);
    await carol.client.bind();
    await alice.client.send(GROUP, TEXT, { dispositionRequest });
    await until(() => dataOf(bob).length === 1);
    const [received] = dataOf(bob);
    await expect(carol.client.notify(received!, READ)).rejects.toMatchObject({ status: 403 });
    await expect(bob.client.notify({ ...received!, from: CAROL }, READ)).rejects.toMatchObject({
      status: 403,
    });
    expect(toldOf(alice)).toEqual([]);
  });

  it("has the acknowledgement kept for a sender who is away", async () => {
    await alice.client.send(GROUP, TEXT, { dispositionRequest });
    await until(() => dataOf(bob).length === 1);
    await alice.client.close();
    await until(() => !world.clients.users().includes(ALICE));
    await bob.client.notify(dataOf(bob)[0]!, READ);
    await until(() => world.counts.mcdata_kept === 1);
    const back = await world.device(ALICE);
    await back.client.bind();
    await until(() => toldOf(back).length === 1);
    expect(toldOf(back)).toMatchObject([{ from: BOB, disposition: READ }]);
  });

  it("asks for something that there is", async () => {
    await expect(alice.client.send(GROUP, TEXT, { dispositionRequest: 16 })).rejects.toMatchObject({
      code: "FIELD_OUT_OF_RANGE",
    });
  });
});
