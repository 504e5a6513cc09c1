/** A GMS keys a member of another security domain, whose KMS has other keys, another period and offset (5.2.7). */
import { beforeAll, describe, expect, it } from "vitest";
import { toHex } from "../../../base/bytes.ts";
import { Receiver } from "../../../bindings/identity/receiver.ts";
import type { AcceptedMessage } from "../../../bindings/mikey/accept.ts";
import { sealSlice } from "../../../bindings/mikey/build.ts";
import type { OpenContext } from "../../../bindings/mikey/context.ts";
import { openMessage } from "../../../bindings/mikey/open.ts";
import { parseMessage } from "../../../bindings/mikey/parse.ts";
import { planSeal } from "../../../bindings/mikey/plan.ts";
import { seededRandom } from "../../support/random.ts";
import { refusedBy } from "../../support/refused-by.ts";
import {
  ALICE,
  AWAY_KMS,
  ERIN,
  HOME_KMS,
  makeKms,
  makeWorld,
  NOW,
  type TestKms,
  type World,
} from "../../support/world.ts";

let world: World;
let away: TestKms;
let erin: Receiver;

beforeAll(async () => {
  world = await makeWorld();
  away = makeKms(world.core, AWAY_KMS, { userKeyPeriod: 1_000_000, userKeyOffset: 4711 });
  erin = Receiver.load([away.domain, world.home.domain], [away.keySet(ERIN)]);
});

async function seal(hidden: boolean) {
  const random = seededRandom(`two domains ${hidden}`);
  const members = [{ uri: ALICE }, { uri: ERIN, kmsUri: AWAY_KMS }];
  const request = {
    kind: "GMK" as const,
    members,
    parameters: {},
    hideInitiator: hidden,
    hideResponder: hidden,
  };
  const plan = planSeal(request, { initiator: world.gms, random, now: NOW });
  const keys = { initiator: world.gms, domains: [away.domain], random };
  return { plan, messages: await sealSlice(plan, keys) };
}

const asCarol = (changes: Partial<OpenContext> = {}) =>
  world.context({ receiver: erin, from: world.gms.uri, ...changes });

describe.each([false, true])("a message between two domains, with identities hidden: %s,", (hidden) => {
  it("opens to the same key for both members, each in their own domain", async () => {
    const { plan, messages } = await seal(hidden);
    const atHome = await openMessage(messages[0]!.octets, world.context({ from: world.gms.uri }));
    const abroad = await openMessage(messages[1]!.octets, asCarol());
    for (const opened of [atHome, abroad] as AcceptedMessage[]) {
      expect(toHex(opened.key.reveal())).toBe(toHex(plan.key));
      expect(opened.keyId).toBe(plan.keyId);
      expect(opened.initiator).toMatchObject({ uri: world.gms.uri, kmsUri: HOME_KMS });
    }
    expect(abroad.recipient).toEqual({ uri: ERIN, kmsUri: AWAY_KMS, role: "responder" });
    expect(parseMessage(messages[1]!.octets)).toMatchObject({
      initiatorKms: HOME_KMS,
      responderKms: AWAY_KMS,
    });
  });

  it("needs the certificate of the initiator's KMS", async () => {
    const { messages } = await seal(hidden);
    const alone = Receiver.load([away.domain], [away.keySet(ERIN)]);
    await refusedBy("UNKNOWN_INITIATOR_KMS", () =>
      openMessage(messages[1]!.octets, asCarol({ receiver: alone })),
    );
  });

  it("is not opened with keys of the wrong KMS", async () => {
    const { messages } = await seal(hidden);
    await refusedBy("RESPONDER_KMS_NOT_MINE", () => openMessage(messages[1]!.octets, world.context()));
    const erinAtHome = Receiver.load([world.home.domain, away.domain], [world.home.keySet(ERIN)]);
    await refusedBy("RESPONDER_KMS_NOT_MINE", () =>
      openMessage(messages[1]!.octets, asCarol({ receiver: erinAtHome })),
    );
  });
});

it("a signature under the right name but another KMS does not verify", async () => {
  const { messages } = await seal(false);
  const impostor = makeKms(world.core, HOME_KMS, { pubAuthKey: away.master.kpak });
  const fooled = Receiver.load([away.domain, impostor.domain], [away.keySet(ERIN)]);
  await refusedBy("BAD_SIGNATURE", () => openMessage(messages[1]!.octets, asCarol({ receiver: fooled })));
});
