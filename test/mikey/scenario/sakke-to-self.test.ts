/** Another device of the initiator recovers the key that the first one sent (5.2.5, E.5). */
import { beforeAll, describe, expect, it } from "vitest";
import { toHex } from "../../../base/bytes.ts";
import { Receiver } from "../../../bindings/identity/receiver.ts";
import type { AcceptedMessage } from "../../../bindings/mikey/accept.ts";
import type { OpenContext } from "../../../bindings/mikey/context.ts";
import { openMessage } from "../../../bindings/mikey/open.ts";
import { refusedBy } from "../../support/refused-by.ts";
import { ALICE, GMS, makeWorld, type World } from "../../support/world.ts";

let world: World;
let otherDevice: Receiver;

beforeAll(async () => {
  world = await makeWorld();
  otherDevice = Receiver.load([world.home.domain], [world.home.keySet(GMS)]);
});

const onOtherDevice = (changes: Partial<OpenContext> = {}) =>
  world.context({ receiver: otherDevice, ...changes });

describe("SAKKE-to-self", () => {
  it.each(["PCK", "GMK"] as const)("gives responder and other device the same %s", async (kind) => {
    const { octets } = await world.seal({ kind, toSelf: true });
    const there = (await openMessage(octets, world.context())) as AcceptedMessage;
    const here = (await openMessage(octets, onOtherDevice())) as AcceptedMessage;
    expect(toHex(here.key.reveal())).toBe(toHex(there.key.reveal()));
    expect(here.keyId).toBe(there.keyId);
    expect([there.recipient.role, here.recipient.role]).toEqual(["responder", "initiator"]);
    expect(here.recipient.uri).toBe(GMS);
  });

  it("works with both identities hidden: the initiator knows itself", async () => {
    const { octets } = await world.seal({
      kind: "PCK",
      toSelf: true,
      hideInitiator: true,
      hideResponder: true,
    });
    const here = await openMessage(octets, onOtherDevice());
    expect(here).toMatchObject({ outcome: "accepted", initiator: { uri: GMS } });
  });

  it("needs the responder's name to find a GMK-ID", async () => {
    const { octets } = await world.seal({ toSelf: true, hideResponder: true });
    await refusedBy("RESPONDER_UNKNOWN", () => openMessage(octets, onOtherDevice()));
    await refusedBy("RESPONDER_UNKNOWN", () => openMessage(octets, onOtherDevice({ responderUri: GMS })));
    const here = await openMessage(octets, onOtherDevice({ responderUri: ALICE }));
    const there = await openMessage(octets, world.context());
    expect(here.keyId).toBe(there.keyId);
  });

  it("is needed for the initiator's other device to open the message", async () => {
    const { octets } = await world.seal({ kind: "PCK" });
    await refusedBy("NOT_FOR_ME", () => openMessage(octets, onOtherDevice()));
  });

  it("does not open for a third party", async () => {
    const { octets } = await world.seal({ kind: "PCK", toSelf: true });
    const eve = Receiver.load([world.home.domain], [world.home.keySet("sip:eve@home.example")]);
    await refusedBy("NOT_FOR_ME", () => openMessage(octets, world.context({ receiver: eve })));
  });
});
