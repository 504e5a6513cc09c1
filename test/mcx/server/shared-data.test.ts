/** Tests what processes of one MCX server bring to each other's clients, by way of a store that keeps octets. */
import { expect, it } from "vitest";
import { MikeySakkeError } from "../../../base/errors.ts";
import { SharedData } from "../../../roles/mcx/cluster/shared-data.ts";
import type { Sds } from "../../../roles/mcx/common/sds.ts";
import { LastingFaults } from "../../../roles/server/lasting-faults.ts";
import { noLog } from "../../../roles/server/log.ts";
import { VirtualClock } from "../../support/clock.ts";

const GROUP = "sip:fire-1@home.example";
const [ALICE, BOB] = ["sip:alice@home.example", "sip:bob@home.example"] as const;
const octets = (...values: number[]) => Uint8Array.from(values);

it.each<[string, Sds]>([
  ["short data of a group", { group: GROUP, sender: ALICE, signalling: octets(1, 2), payload: octets(3) }],
  ["the notice of a group's file", { group: GROUP, sender: ALICE, signalling: octets(2), payload: octets() }],
  [
    "a notification to the sender of a file",
    { group: GROUP, to: BOB, sender: ALICE, signalling: octets(6), payload: octets() },
  ],
  [
    "the notice of a file for one user, with its key",
    { to: BOB, sender: ALICE, signalling: octets(2), payload: octets(), mikey: octets(1, 26, 5) },
  ],
])("another process of an MCX server gets %s as it was posted", async (_, sds) => {
  const kept: Uint8Array[] = [];
  let tell: () => void = () => undefined;
  const store = {
    async post(_from: string, message: Uint8Array) {
      return kept.push(message);
    },
    take: async () => kept.splice(0),
    listen({ posted }: { posted: (instance: string) => void }) {
      tell = () => posted("there");
      return async () => undefined;
    },
  };
  const clock = new VirtualClock();
  const delivered: Sds[] = [];
  let resolve: () => void = () => undefined;
  const arrived = new Promise<void>((settle) => {
    resolve = settle;
  });
  const processOf = (instance: string) =>
    new SharedData({
      store,
      lease: { instance },
      clock,
      faults: new LastingFaults(noLog),
      async deliver(message) {
        delivered.push(message);
        resolve();
      },
    });
  const [here, there] = [processOf("here"), processOf("there")];
  there.start();
  await here.post(sds);
  tell();
  await arrived;
  await there.stop();
  expect(delivered).toEqual([sds]);
});

it("messages of other processes that cannot be taken are a fault that is logged once, and so is its end", async () => {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const write = (_: object, text: string) => lines.push(text);
  const faults = new LastingFaults({ ...noLog, error: write, info: write }, () => clock.now());
  let isAway = true;
  const data = new SharedData({
    store: {
      post: async () => 0,
      async take() {
        if (isAway) throw new MikeySakkeError("transport", "STORE_LOST", "the database is away");
        return [];
      },
      listen: () => async () => undefined,
    },
    lease: { instance: "here" },
    clock,
    faults,
    deliver: async () => undefined,
  });
  data.start();
  await clock.pass(20_000);
  expect(lines).toEqual(["messages of other processes were not taken"]);
  isAway = false;
  await clock.pass(1000);
  await data.stop();
  expect(lines.slice(1)).toEqual(["database: it works again"]);
});
