/** Two processes of one MCX server, with files and messages in one place: what one has received the other brings. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemRandom, utf8 } from "../../../bindings/index.ts";
import type { FileFetch } from "../../../roles/client/mcx/index.ts";
import { MemoryFiles } from "../../../roles/mcx/files/file-depot.ts";
import type { SignallingContext } from "../../../roles/mcx/signalling/context.ts";
import { MemoryMessages } from "../../../roles/mcx/signalling/message-keeper.ts";
import type { McxData } from "../../../store/index.ts";
import { systemClock } from "../../../transport/sip/index.ts";
import { ALICE, BOB, CAROL, type Device, GROUP, McxWorld, NAMES, until } from "./mcx-server.ts";

const FILE = { name: "plan.txt", mediaType: "text/plain", data: utf8("units to the north gate") };
const TEXT = 1;
const fileFetch = fetch as unknown as FileFetch;

let here: McxWorld;
let there: McxWorld;
let data: { readonly files: MemoryFiles; readonly messages: MemoryMessages };

beforeEach(async () => {
  data = {
    files: new MemoryFiles({ now: Date.now, random: systemRandom }),
    messages: new MemoryMessages(systemClock, 100),
  };
  const world = (other: () => McxWorld) => {
    const cluster: SignallingContext["cluster"] = {
      claim: async () => ({ where: "nowhere" }),
      post: (sds) => other().deliver(sds),
      firstSeen: async () => true,
    };
    const config = { files: { port: 0, keep: 60 } };
    return McxWorld.create(config, false, () => [], cluster, data as unknown as McxData);
  };
  here = await world(() => there);
  there = await world(() => here);
  there.groupKeys = here.groupKeys;
  for (const one of [here, there]) one.directory.groups.set(GROUP, new Set(NAMES));
});
afterEach(async () => {
  await here.close();
  await there.close();
});

async function bound(world: McxWorld, user: string): Promise<Device> {
  const device = await world.device(user, { files: { url: world.files!.url(), fetch: fileFetch } });
  await device.client.bind();
  return device;
}

const textsOf = ({ events }: Device) =>
  events.flatMap((event) =>
    event.type === "data" ? event.payloads.map(({ data: octets }) => Buffer.from(octets).toString()) : [],
  );
const say = ({ client }: Device, text: string) =>
  client.send(GROUP, [{ contentType: TEXT, data: utf8(text) }]);
const keptFor = async (user: string) => (await data.messages.of(user)).length;

describe("two processes of one MCX server", () => {
  it("bring a text for a member who is away when they bind at either of them, and not again", async () => {
    const { client } = await bound(here, BOB);
    await client.close();
    await until(() => here.clients.size === 0);
    const alice = await bound(here, ALICE);
    const carol = await bound(there, CAROL);
    await say(alice, "north gate");
    await until(() => textsOf(carol).length === 1);
    const bob = await bound(there, BOB);
    await until(() => textsOf(bob).length === 1);
    expect([textsOf(bob), textsOf(carol)]).toEqual([["north gate"], ["north gate"]]);
    // Neither for the one who had it at once nor for the one who came later.
    await expect.poll(async () => (await keptFor(BOB)) + (await keptFor(CAROL))).toBe(0);
  });

  it("give out each other's files, each under an address of its own", async () => {
    const [alice, bob, carol] = [await bound(here, ALICE), await bound(there, BOB), await bound(here, CAROL)];
    await alice.client.sendFile(GROUP, FILE);
    for (const [world, device] of [
      [there, bob],
      [here, carol],
    ] as const) {
      const notices = () => device.events.filter((event) => event.type === "file");
      await until(() => notices().length > 0);
      const [notice] = notices();
      expect(notice!.url.startsWith(`${world.files!.url()}/`)).toBe(true);
      expect(await device.client.fetchFile(notice!)).toEqual(FILE);
    }
    // One who has uploaded at one process may tell of it at the other.
    expect(await there.files!.fileAt(`${here.files!.url()}/${"0".repeat(32)}`)).toBeUndefined();
    const [received] = carol.events.filter((event) => event.type === "file");
    expect(await there.files!.fileAt(received!.url)).toMatchObject({ sender: ALICE });
    expect(await there.files!.fileAt(received!.url.replace("127.0.0.1", "example.org"))).toBeUndefined();
  });
});
