/** Identity keys end with their period; around the border both sides count (RFC 6509 2.5, 3.3). */
import { beforeAll, describe, expect, it } from "vitest";
import { Initiator } from "../../../bindings/identity/initiator.ts";
import { keyPeriodEnd } from "../../../bindings/identity/key-period.ts";
import type { KeySet } from "../../../bindings/identity/kms-material.ts";
import { ntpFromUnixMs, ntpSeconds, ntpSecondsToUnixMs } from "../../../bindings/identity/ntp.ts";
import { Receiver } from "../../../bindings/identity/receiver.ts";
import type { OpenContext } from "../../../bindings/mikey/context.ts";
import { openMessage } from "../../../bindings/mikey/open.ts";
import type { SealRequest } from "../../../bindings/mikey/plan.ts";
import { sealMessage } from "../../../bindings/mikey/seal.ts";
import { type MessageDraft, replace, resigned } from "../../support/forge.ts";
import { seededRandom } from "../../support/random.ts";
import { refusedBy } from "../../support/refused-by.ts";
import { ALICE, DAY_MS, GMS, makeWorld, NOW, type World } from "../../support/world.ts";

let world: World;
let border: number;
let alice: Receiver;
let gmsKeys: KeySet[];

beforeAll(async () => {
  world = await makeWorld();
  const { domain } = world.home;
  border = ntpSecondsToUnixMs(keyPeriodEnd(domain.keyPeriodNo(ntpSeconds(ntpFromUnixMs(NOW))), domain.rule));
  const both = (uri: string) => [world.home.keySet(uri, border - 1), world.home.keySet(uri, border)];
  gmsKeys = both(GMS);
  alice = Receiver.load([domain], both(ALICE));
});

/** A new initiator each time: one object never goes back in T. */
async function seal(
  atMs: number,
  changes: Partial<SealRequest> = {},
  initiator = Initiator.load(world.home.domain, gmsKeys),
) {
  const request: SealRequest = { kind: "GMK", members: [{ uri: ALICE }], ...changes };
  const keys = { initiator, domains: [], random: seededRandom(`periods ${atMs}`) };
  return (await sealMessage(request, keys, atMs)).messages[0]!.octets;
}

const context = (now: number, changes: Partial<OpenContext> = {}) =>
  world.context({ receiver: alice, now, from: GMS, ...changes });

const stored = { delivery: "stored" as const };

describe("around the border of a key period", () => {
  it.each([
    ["just before", -1],
    ["just after", 1],
  ])("T %s it selects its own period, whatever time it is now", async (_name, offset) => {
    for (const hideResponder of [false, true]) {
      const octets = await seal(border + offset, { hideResponder });
      for (const now of [border - 1000, border + 1000]) {
        await expect(openMessage(octets, context(now))).resolves.toMatchObject({ outcome: "accepted" });
      }
    }
  });

  it("a stored message has to be collected within the overlap", async () => {
    const octets = await seal(border - DAY_MS);
    const late = border + 2 * DAY_MS;
    await expect(openMessage(octets, context(late - 1, stored))).resolves.toBeDefined();
    await refusedBy("KEY_PERIOD_NOT_CURRENT", () => openMessage(octets, context(late, stored)));
    const patient = context(late, { ...stored, periodOverlap: 3 * 86400 });
    await expect(openMessage(octets, patient)).resolves.toBeDefined();
  });

  it("the same key sealed for the next period is a renewal", async () => {
    const known = { key: new Uint8Array(16).fill(7), keyId: 0x01234567, rand: new Uint8Array(16).fill(9) };
    const once = context(border, stored);
    await expect(openMessage(await seal(border - 1000, known), once)).resolves.toMatchObject({
      renewed: false,
    });
    await expect(openMessage(await seal(border + 1000, known), once)).resolves.toMatchObject({
      renewed: true,
    });
  });
});

describe("the keys of a key period", () => {
  it("are reported missing when only the other period's are held", async () => {
    const octets = await seal(border + 1000);
    const old = Receiver.load([world.home.domain], [world.home.keySet(ALICE, border - 1)]);
    await refusedBy("NO_KEY_FOR_PERIOD", () => openMessage(octets, context(border, { receiver: old })));
  });

  it("can be dropped when the period is over", async () => {
    const { domain } = world.home;
    const both = [world.home.keySet(ALICE, border - 1), world.home.keySet(ALICE, border)];
    const receiver = Receiver.load([domain], both);
    receiver.dropBefore(domain.kmsUri, both[1]!.keyPeriodNo);
    await refusedBy("NO_KEY_FOR_PERIOD", async () =>
      openMessage(await seal(border - 1000), context(border, { receiver })),
    );
    await expect(openMessage(await seal(border), context(border, { receiver }))).resolves.toBeDefined();
  });
});

describe("a UID of a neighbouring period, from a sender with other arithmetic,", () => {
  /** T at `tMs`, hidden identities and keys of the period before the border. */
  async function sealWithOldKeys(tMs: number) {
    const initiator = Initiator.load(world.home.domain, gmsKeys);
    const octets = await seal(
      border - 1,
      { kind: "PCK", hideInitiator: true, hideResponder: true },
      initiator,
    );
    const later = (draft: MessageDraft) => replace(draft, "T", (p) => ({ ...p, value: ntpFromUnixMs(tMs) }));
    return resigned(octets, initiator, later, border - 1);
  }

  it("is accepted near the border", async () => {
    const octets = await sealWithOldKeys(border + 60_000);
    const opened = openMessage(octets, context(border + 60_000));
    await expect(opened).resolves.toMatchObject({ outcome: "accepted" });
  });

  it("is refused away from the border", async () => {
    const octets = await sealWithOldKeys(border + 5 * DAY_MS);
    await refusedBy("UID_PERIOD_MISMATCH", () => openMessage(octets, context(border + 5 * DAY_MS)));
  });
});
