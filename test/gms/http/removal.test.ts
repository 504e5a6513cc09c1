/** A removal in the midst of a GET: who was removed gets nothing of it any more. */

import { expect, it } from "vitest";
import { operator } from "../../../roles/gms/common/caller.ts";
import type { GmsStore } from "../../../store/gms/gms-store.ts";
import { BOB, GROUP, keysPath, sharedXcapWorld } from "./xcap.ts";

const world = sharedXcapWorld();

it("keys that were read before the member was removed are not sent", async () => {
  const { it } = world;
  const [before] = await it.messages(BOB);
  const store = it.core.context.store as { -readonly [K in keyof GmsStore]: GmsStore[K] };
  const { handOver } = prototypeOf(store);
  let removed = false;
  store.handOver = async (messages) => {
    if (!removed) {
      removed = true;
      await it.core.context.admin.removeMembers(operator("operator"), GROUP, [BOB]);
    }
    return handOver.call(store, messages);
  };
  const { status, body } = await it.ask(keysPath(BOB), { as: BOB });
  store.handOver = handOver;
  expect(removed).toBe(true);
  expect(status).toBe(404);
  expect(body).not.toContain(before);
});

function prototypeOf(store: object): GmsStore {
  return Object.getPrototypeOf(store) as GmsStore;
}
