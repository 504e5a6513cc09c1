/** Checks 62 and 63: is a group key for a group of this receiver. */
import { beforeAll, describe, expect, it } from "vitest";
import { groupIds } from "../../../bindings/mikey/key-parameters.ts";
import { openMessage } from "../../../bindings/mikey/open.ts";
import { refusedBy } from "../../support/refused-by.ts";
import { makeWorld, type World } from "../../support/world.ts";

const GROUP = "sip:g1@home.example";
const OTHER = "sip:g2@home.example";

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});

const expectsGroup = (uri: string) => uri === GROUP;
const seal = async (groups: readonly string[]) =>
  (await world.seal({ parameters: { groups: groupIds(groups) } })).octets;

describe("the groups of a GMK", () => {
  it("62 GROUP_IDS_MISSING: none, or no parameters at all", async () => {
    const context = world.context({ expectsGroup });
    const none = await seal([]);
    await refusedBy("GROUP_IDS_MISSING", () => openMessage(none, context));
    const bare = await world.seal({ parameters: undefined } as object);
    await refusedBy("GROUP_IDS_MISSING", () => openMessage(bare.octets, context));
    await expect(openMessage(none, world.context())).resolves.toMatchObject({ outcome: "accepted" });
  });

  it("63 GROUP_NOT_EXPECTED: only groups of others, and nothing is remembered", async () => {
    const context = world.context({ expectsGroup });
    const octets = await seal([OTHER]);
    await refusedBy("GROUP_NOT_EXPECTED", () => openMessage(octets, context));
    await expect(openMessage(octets, { ...context, expectsGroup: () => true })).resolves.toMatchObject({
      renewed: false,
    });
  });

  it("pass if one of several is expected", async () => {
    const octets = await seal([OTHER, GROUP]);
    await expect(openMessage(octets, world.context({ expectsGroup }))).resolves.toMatchObject({
      outcome: "accepted",
    });
  });

  it("are not checked for other kinds of key, nor for a revocation", async () => {
    const context = world.context({ expectsGroup });
    const csk = await world.seal({ kind: "CSK" });
    await expect(openMessage(csk.octets, context)).resolves.toMatchObject({ outcome: "accepted" });
    const revocation = await world.seal({ parameters: { revoked: true } });
    await expect(openMessage(revocation.octets, context)).resolves.toMatchObject({ outcome: "revoked" });
  });
});
