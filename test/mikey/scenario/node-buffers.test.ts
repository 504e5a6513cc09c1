/** Node's Buffer is a Uint8Array whose `slice` does not copy. What a caller hands over must stay the caller's. */
import { Buffer } from "node:buffer";
import { expect, it } from "vitest";
import { destroyPlan, planSeal } from "../../../bindings/mikey/plan.ts";
import { SakkeReceiver } from "../../../bindings/sakke/index.ts";
import { seededRandom } from "../../support/random.ts";
import { makeWorld, NOW } from "../../support/world.ts";

it("wiping our copies leaves a caller's Node.js buffers alone", async () => {
  const world = await makeWorld();
  const key = Buffer.alloc(16, 7);
  const plan = planSeal(
    { kind: "GMK", members: [{ uri: "sip:alice@home.example" }], key },
    { initiator: world.gms, random: seededRandom("buffers"), now: NOW },
  );
  destroyPlan(plan);
  expect(key).toEqual(Buffer.alloc(16, 7));

  const keySet = world.home.keySet("sip:alice@home.example");
  const rsk = Buffer.from(keySet.rsk);
  for (const prepare of [false, true]) {
    SakkeReceiver.load(world.home.domain.encryption, keySet.uid, rsk, { prepare }).destroy();
    expect(rsk).toEqual(Buffer.from(keySet.rsk));
  }
});
