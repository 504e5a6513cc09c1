/** A GMS process that makes a group or rekeys it, seals what is planned, and says what came of that and of its health. */

import { operator } from "../../../../roles/gms/common/caller.ts";
import { isError } from "../../../../roles/gms/common/errors.ts";
import { createCore } from "../../../../roles/gms/context.ts";
import { readiness } from "../../../../roles/gms/readiness.ts";
import { openDatabase } from "../../../../store/index.ts";
import { makeWorld, newMembers } from "../../memory-gms.ts";

const GROUP = "sip:group@home.example";
const db = await openDatabase({ url: process.argv[2]! });
const world = await makeWorld({ database: db, now: Date.now(), storeTime: "database" });
// Its clock is the system's, and the world's stands still.
const { config, store, keys } = world;
const core = createCore({ config, store, keys, instance: "gms-1" });
await core.start();
const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return "ok";
  } catch (error) {
    return isError(error, "CLOCK_OFF") ? error.code : String(error);
  }
};
const { admin } = core.context;
const ready = await codeOf(readiness(core.context)());
const group = await admin.group(GROUP);
const change =
  group === undefined
    ? admin.createGroup(operator("op"), { uri: GROUP, members: newMembers(3) })
    : admin.rekey(operator("op"), GROUP);
const rekey = await codeOf(change);
const isSealed = async () =>
  (await store.rekeys({ limit: 100 })).every(
    ({ state, sealedAt }) => state !== "running" || sealedAt !== undefined,
  );
while (rekey === "ok" && !(await isSealed())) await new Promise((resolve) => setTimeout(resolve, 50));
await core.stop();
process.stdout.write(`${JSON.stringify({ ready, rekey })}\n`);
await world.close();
await db.close();
