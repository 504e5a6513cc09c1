/** Every kind of key that TS 33.180 sends in an I_MESSAGE, by default profile and with explicit sessions. */
import { beforeAll, describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../base/bytes.ts";
import { KEY_KINDS, type KeyKind, keyKind } from "../../../bindings/identity/purpose-tag.ts";
import type { AcceptedMessage } from "../../../bindings/mikey/accept.ts";
import { CS_IDS } from "../../../bindings/mikey/codes.ts";
import { openMessage } from "../../../bindings/mikey/open.ts";
import { parseMessage } from "../../../bindings/mikey/parse.ts";
import { GMK_PROFILE, PCK_PROFILE } from "../../../bindings/mikey/srtp-profile.ts";
import { makeWorld, NOW, type World } from "../../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});

describe.each(KEY_KINDS)("a message with a %s", (kind: KeyKind) => {
  it("opens with the sealed key, identifier and RAND", async () => {
    const key = fromHex("28ba74447f037dcc09ad7f2576dc2def");
    const rand = fromHex("30333032343661303730646133333265");
    const { octets, csbId } = await world.seal({ kind, key, rand });
    const opened = (await openMessage(octets, world.context({ allow: [kind] }))) as AcceptedMessage;
    expect(opened.kind).toBe(kind);
    expect(toHex(opened.key.reveal())).toBe(toHex(key));
    expect(toHex(opened.key.rand)).toBe(toHex(rand));
    expect(opened.key.ukId).toBe(csbId);
    expect(keyKind(opened.keyId)).toBe(kind);
    if (kind === "GMK") expect(opened.keyId).not.toBe(csbId);
    else expect(opened.keyId).toBe(csbId);
    expect(opened.profile?.roc).toEqual(["GMK", "MKFC", "MSCCK"].includes(kind) ? { rate: 1 } : undefined);
  });

  it("opens without key parameters: valid from T on", async () => {
    const { octets } = await world.seal({ kind, parameters: undefined } as object);
    const opened = (await openMessage(octets, world.context())) as AcceptedMessage;
    expect(opened).toMatchObject({ parameters: undefined, activation: NOW, expiry: undefined });
  });

  it("has the short header: no crypto session, empty map, no SP", async () => {
    const { octets } = await world.seal({ kind });
    const message = parseMessage(octets);
    expect(message).toMatchObject({ sessions: [], policies: [] });
    expect([...octets.subarray(8, 10)]).toEqual([0, 1]);
  });
});

describe("explicit crypto sessions", () => {
  it("repeat the MKI of a private call, with SSRCs", async () => {
    const ssrc = fromHex("01020304");
    const { MCPTT_PRIVATE_INITIATOR, MCPTT_PRIVATE_RECEIVER } = CS_IDS;
    const sessions = [{ csId: MCPTT_PRIVATE_INITIATOR, ssrc }, { csId: MCPTT_PRIVATE_RECEIVER }];
    const { octets, csbId } = await world.seal({ kind: "PCK", srtp: { sessions, parameters: PCK_PROFILE } });
    const message = parseMessage(octets);
    expect(message.sessions.map((s) => toHex(s.sessionData))).toEqual(["01020304", ""]);
    for (const s of message.sessions) expect(toHex(s.spi)).toBe(csbId.toString(16).padStart(8, "0"));
    await expect(openMessage(octets, world.context())).resolves.toMatchObject({
      profile: { roc: undefined },
    });
  });

  it("say which profile holds", async () => {
    const parameters = GMK_PROFILE.map((p) => (p.type === 13 ? { type: 13, value: Uint8Array.of(0, 5) } : p));
    const srtp = { sessions: [{ csId: CS_IDS.MCPTT_GROUP }, { csId: CS_IDS.MCVIDEO_GROUP }], parameters };
    const opened = await openMessage((await world.seal({ srtp })).octets, world.context());
    expect(opened).toMatchObject({ profile: { roc: { rate: 5 } } });
  });
});

it("activation and expiry of a key are given in milliseconds", async () => {
  const [activation, expiry] = [NOW / 1000 + 60, NOW / 1000 + 3600];
  const { octets } = await world.seal({ parameters: { activation, expiry } });
  const opened = await openMessage(octets, world.context());
  expect(opened).toMatchObject({ activation: NOW + 60_000, expiry: NOW + 3600_000 });
});
