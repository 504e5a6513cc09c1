/** Either side of a message may hide behind its UID (5.2.6, E.7). */
import { beforeAll, describe, expect, it } from "vitest";
import { toHex, utf8 } from "../../../base/bytes.ts";
import type { AcceptedMessage } from "../../../bindings/mikey/accept.ts";
import { openMessage } from "../../../bindings/mikey/open.ts";
import { parseMessage } from "../../../bindings/mikey/parse.ts";
import { refusedBy } from "../../support/refused-by.ts";
import { ALICE, GMS, makeWorld, type World } from "../../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});

const contains = (octets: Uint8Array, text: string) => toHex(octets).includes(toHex(utf8(text)));

describe.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])("a message with hidden initiator: %s, hidden responder: %s", (hideInitiator, hideResponder) => {
  it("shows only what is not hidden, and opens", async () => {
    const { octets } = await world.seal({ hideInitiator, hideResponder });
    expect(contains(octets, GMS)).toBe(!hideInitiator);
    expect(contains(octets, ALICE)).toBe(!hideResponder);
    const { initiator, responder } = parseMessage(octets);
    expect([initiator.hidden, responder.hidden]).toEqual([hideInitiator, hideResponder]);
    const opened = await openMessage(octets, world.context({ from: GMS }));
    expect(opened.initiator.uri).toBe(GMS);
    expect(opened.recipient.uri).toBe(ALICE);
  });
});

describe("a hidden initiator", () => {
  it("can be named by a carrier that is encrypted under the key", async () => {
    const { octets, csbId } = await world.seal({ kind: "PCK", hideInitiator: true });
    let copy: Uint8Array | undefined;
    const opened = (await openMessage(
      octets,
      world.context({
        from: async ({ kind, keyId, key }) => {
          expect({ kind, keyId }).toEqual({ kind: "PCK", keyId: csbId });
          copy = key;
          return (copy.some((x) => x !== 0) && GMS) || undefined;
        },
      }),
    )) as AcceptedMessage;
    expect(opened.initiator.uri).toBe(GMS);
    expect(toHex(copy!)).toBe("00".repeat(16));
    expect(toHex(opened.key.reveal())).not.toBe("00".repeat(16));
  });

  it("is authorised only once it has a name", async () => {
    const { octets } = await world.seal({ hideInitiator: true });
    const asked: unknown[] = [];
    const authorise = (identity: { uri: string | undefined }) => asked.push(identity.uri) > 0;
    await openMessage(octets, world.context({ from: GMS, authorise }));
    expect(asked).toEqual([GMS]);
    await refusedBy("INITIATOR_NOT_AUTHORISED", () =>
      openMessage(octets, world.context({ from: GMS, authorise: () => false })),
    );
  });

  it("may stay anonymous where policy permits", async () => {
    const { octets } = await world.seal({ hideInitiator: true });
    await refusedBy("HIDDEN_INITIATOR_UNKNOWN", () => openMessage(octets, world.context()));
    const opened = await openMessage(octets, world.context({ anonymousInitiator: "accept" }));
    expect(opened.initiator.uri).toBeUndefined();
    expect(opened.initiator.uid).toHaveLength(32);
  });

  it("is refused under another name, leaving no trace", async () => {
    const { octets } = await world.seal({ hideInitiator: true });
    const context = world.context({ from: "sip:eve@home.example" });
    await refusedBy("HIDDEN_INITIATOR_MISMATCH", () => openMessage(octets, context));
    await expect(openMessage(octets, { ...context, from: GMS })).resolves.toMatchObject({
      outcome: "accepted",
    });
  });
});
