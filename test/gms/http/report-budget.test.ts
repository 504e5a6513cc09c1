/** Tests how many reports of one member are written into the audit log. */

import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { MEDIA, writeGktpReport } from "../../../documents/group-xml/index.ts";
import { operator } from "../../../roles/gms/common/caller.ts";
import { newMembers, sealAll } from "../memory-gms.ts";
import { ALICE, BOB, keysPath, sharedXcapWorld } from "./xcap.ts";

const world = sharedXcapWorld({ config: { limits: { refusedAuditPerMinute: 2 } } });

async function report(as: string, octets: Uint8Array): Promise<number> {
  const sha256 = createHash("sha256").update(octets).digest("hex");
  const body = writeGktpReport([{ sha256, result: "stored" }]);
  return (await world.it.ask(keysPath(as), { as, method: "POST", type: MEDIA.gktpReport, body })).status;
}

const reports = async () =>
  (await world.it.audit()).filter(({ action }) => action === "gktp-report").map(({ actor }) => actor);

it("each member may send as many reports a minute as are allowed, and all of them count", async () => {
  const { admin } = world.it.core.context;
  for (const name of ["a", "b", "c"]) {
    await admin.createGroup(operator("operator"), {
      uri: `sip:${name}@home.example`,
      members: newMembers(2),
    });
  }
  await sealAll(world.it.core);
  const { store } = world.it.world;
  const [alices, bobs] = [await store.gktpOf(ALICE), await store.gktpOf(BOB)];
  expect(alices).toHaveLength(4);
  for (const { octets } of alices.slice(0, 3)) expect(await report(ALICE, octets)).toBe(204);
  expect(await report(BOB, bobs[0]!.octets)).toBe(204);
  expect(await reports()).toEqual([ALICE, ALICE, BOB]);
  const states = (await store.gktpOf(ALICE)).map(({ state }) => state);
  expect(states).toEqual(["acknowledged", "acknowledged", "acknowledged", "sealed"]);
  world.it.world.clock.now += 60_000;
  expect(await report(ALICE, alices[3]!.octets)).toBe(204);
  expect(await reports()).toEqual([ALICE, ALICE, BOB, ALICE]);
});
