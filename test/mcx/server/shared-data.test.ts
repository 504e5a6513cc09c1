/** Tests what processes of one MCX server bring to each other's clients, by way of a store that keeps octets. */
import { expect, it } from "vitest";
import { type Sds, SharedData } from "../../../roles/mcx/cluster/shared-data.ts";
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
      log: noLog,
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
