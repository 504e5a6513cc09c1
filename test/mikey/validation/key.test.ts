/** Checks 43 to 61: what decapsulation uncovers. Each message here carries a signature that verifies. */
import { beforeAll, describe, expect, it } from "vitest";
import { concat, fromHex } from "../../../base/bytes.ts";
import { Initiator } from "../../../bindings/identity/initiator.ts";
import { type KeyId, keyIdToBytes } from "../../../bindings/identity/purpose-tag.ts";
import { Receiver } from "../../../bindings/identity/receiver.ts";
import type { AcceptedMessage } from "../../../bindings/mikey/accept.ts";
import type { OpenContext } from "../../../bindings/mikey/context.ts";
import { defaultKeyParameters, encodeKeyParameters } from "../../../bindings/mikey/key-parameters.ts";
import { openMessage } from "../../../bindings/mikey/open.ts";
import type { SealRequest } from "../../../bindings/mikey/plan.ts";
import { protect } from "../../../bindings/mikey/protected-payload.ts";
import { GMK_PROFILE } from "../../../bindings/mikey/srtp-profile.ts";
import { type Edit, replace, resigned } from "../../support/forge.ts";
import { orderTwo, plusOrderTwo } from "../../support/points.ts";
import { refusedBy } from "../../support/refused-by.ts";
import { BOB, GMS, makeWorld, NOW, type World } from "../../support/world.ts";

let world: World;
const key = fromHex("28ba74447f037dcc09ad7f2576dc2def");

beforeAll(async () => {
  world = await makeWorld();
});

const open = (octets: Uint8Array, changes: Partial<OpenContext> = {}) =>
  openMessage(octets, world.context(changes));

/** A message of the GMS with some payload changed before it was signed. */
async function forged(edit: Edit, request: Partial<SealRequest> = {}): Promise<Uint8Array> {
  return resigned((await world.seal({ key, ...request })).octets, world.gms, edit);
}

const sed =
  (change: (sed: Uint8Array) => void): Edit =>
  (m) =>
    replace(m, "SAKKE", (p) => {
      const copy = p.sed.slice();
      change(copy);
      return { ...p, sed: copy };
    });

const extension =
  (data: (csbId: KeyId, old: Uint8Array) => Uint8Array): Edit =>
  (m) =>
    replace(m, "GENERAL_EXT", (p) => ({ ...p, data: data(m.hdr.csbId, p.data) }));

/** Replaces the parameters by other content that is properly encrypted under K. */
async function withContent(content: Uint8Array, request: Partial<SealRequest> = {}, dppkId?: KeyId) {
  const { octets, csbId } = await world.seal({ key, ...request });
  const data = await protect(key, dppkId ?? csbId, content, { dateTime: 1, iv: new Uint8Array(16) });
  return resigned(
    octets,
    world.gms,
    extension(() => data),
  );
}

describe("a message is refused for its key or parameters:", () => {
  it("43 BAD_SAKKE_POINT: R is not on the curve, or not a point at all", async () => {
    for (const change of [
      (x: Uint8Array) => x.fill(0xff, 1, 129),
      (x: Uint8Array) => x.set([x[256]! ^ 1], 256),
      (x: Uint8Array) => x.set([0x02], 0),
      (x: Uint8Array) => x.set([0x00], 0),
    ]) {
      const octets = await forged(sed(change));
      await refusedBy("BAD_SAKKE_POINT", () => open(octets));
    }
  });

  it("44 SAKKE_CHECK_FAILED: R outside the subgroup, also where the pairing does not notice", async () => {
    for (const change of [
      (x: Uint8Array) => x.set(orderTwo()),
      (x: Uint8Array) => x.set(plusOrderTwo(x.slice(0, 257))),
    ]) {
      const octets = await forged(sed(change));
      await refusedBy("SAKKE_CHECK_FAILED", () => open(octets));
    }
  });

  it("44 SAKKE_CHECK_FAILED: hint, or R of somebody else", async () => {
    const hint = await forged(sed((x) => x.set([x[272]! ^ 1], 272)));
    await refusedBy("SAKKE_CHECK_FAILED", () => open(hint));
    const forBob = world.home.domain.encryption.encapsulate(world.home.keySet(BOB).uid, key);
    const swapped = await forged(sed((x) => x.set(forBob)));
    await refusedBy("SAKKE_CHECK_FAILED", () => open(swapped));
  });

  it("45 KEY_PARAMETERS_MISSING: where they are required", async () => {
    const octets = await forged((m) => {
      m.payloads = m.payloads.filter((p) => p.payload !== "GENERAL_EXT");
    });
    await refusedBy("KEY_PARAMETERS_MISSING", () => open(octets, { requireParameters: true }));
    await expect(open(octets)).resolves.toMatchObject({ parameters: undefined });
  });

  it.each<[string, (old: Uint8Array) => Uint8Array]>([
    ["empty", () => new Uint8Array(0)],
    ["cut", (old) => old.slice(0, -1)],
    ["too long", (old) => concat(old, new Uint8Array(2))],
    ["not marked as protected", (old) => concat(Uint8Array.of(0x04), old.slice(1))],
    ["marked as authenticated", (old) => concat(Uint8Array.of(0xc3), old.slice(1))],
    ["AES-256", (old) => concat(old.slice(0, 11), Uint8Array.of(2), old.slice(12))],
    ["CCM", (old) => concat(old.slice(0, 11), Uint8Array.of(3), old.slice(12))],
    ["with a signalling algorithm", (old) => concat(old.slice(0, 12), Uint8Array.of(1), old.slice(12))],
  ])("46 BAD_PROTECTED_PAYLOAD: %s", async (_name, change) => {
    const octets = await forged(extension((_id, old) => change(old)));
    await refusedBy("BAD_PROTECTED_PAYLOAD", () => open(octets));
  });

  it("47 PROTECTION_KEY_MISMATCH: DPPK-ID of another message", async () => {
    const octets = await withContent(encodeKeyParameters(defaultKeyParameters("GMK")), {}, 0x01020304);
    await refusedBy("PROTECTION_KEY_MISMATCH", () => open(octets));
  });

  it("48 UNPROTECTED_PARAMETERS: the clear form counts only where configured", async () => {
    const clear = encodeKeyParameters({ ...defaultKeyParameters("GMK"), text: "clear" });
    clear[0] = 1;
    const octets = await forged(extension(() => clear));
    await refusedBy("UNPROTECTED_PARAMETERS", () => open(octets));
    const opened = open(octets, { tolerance: { unprotectedParameters: true } });
    await expect(opened).resolves.toMatchObject({ parameters: { text: "clear" } });
  });

  it("49 PARAMETERS_NOT_AUTHENTIC: ciphertext, tag, IV or header changed", async () => {
    for (const index of [0, 3, 12, 35, -1]) {
      const octets = await forged(
        extension((_id, old) => {
          const copy = old.slice();
          copy[index < 0 ? copy.length + index : index]! ^= index === 0 ? 0x03 : 1;
          return copy;
        }),
      );
      await refusedBy("PARAMETERS_NOT_AUTHENTIC", () => open(octets));
    }
  });

  it("50 BAD_KEY_PARAMETERS: no parameters inside, or an expiry before the activation", async () => {
    await refusedBy("BAD_KEY_PARAMETERS", async () => open(await withContent(fromHex("00"))));
    const backwards = encodeKeyParameters({ ...defaultKeyParameters("GMK"), activation: 2e9, expiry: 1.9e9 });
    await refusedBy("BAD_KEY_PARAMETERS", async () => open(await withContent(backwards)));
  });

  it("51 KEY_TYPE_MISMATCH: parameters of another kind of key", async () => {
    await refusedBy("KEY_TYPE_MISMATCH", async () =>
      open(await withContent(encodeKeyParameters(defaultKeyParameters("PCK")))),
    );
  });

  it("52 SPI_MISMATCH: an MKI that is not that of this key", async () => {
    const srtp = { sessions: [{ csId: 4 }], parameters: GMK_PROFILE };
    const spis = [new Uint8Array(8), new Uint8Array(4), Uint8Array.of(1)];
    for (const spi of spis) {
      const octets = await forged(
        (m) => {
          m.hdr = { ...m.hdr, sessions: m.hdr.sessions.map((s) => ({ ...s, spi })) };
        },
        { srtp },
      );
      await refusedBy("SPI_MISMATCH", () => open(octets));
    }
    const silent: Edit = (m) => {
      m.hdr = { ...m.hdr, sessions: m.hdr.sessions.map((s) => ({ ...s, spi: new Uint8Array(0) })) };
    };
    await expect(open(await forged(silent, { srtp }))).resolves.toBeDefined();
  });

  it("52 SPI_MISMATCH: GUK-ID of another member in the CSB ID", async () => {
    const srtp = { sessions: [{ csId: 4 }], parameters: GMK_PROFILE };
    const octets = await forged(
      (m) => {
        const csbId = (m.hdr.csbId ^ 1) >>> 0;
        const sessions = m.hdr.sessions.map((s) => ({
          ...s,
          spi: concat(s.spi.slice(0, 4), keyIdToBytes(csbId)),
        }));
        m.hdr = { ...m.hdr, csbId, sessions };
        m.payloads = m.payloads.filter((p) => p.payload !== "GENERAL_EXT");
      },
      { srtp },
    );
    await refusedBy("SPI_MISMATCH", () => open(octets));
  });

  it("53 RESPONDER_UNKNOWN: GMK to self with a hidden responder", async () => {
    const { octets } = await world.seal({ toSelf: true, hideResponder: true });
    const self = Receiver.load([world.home.domain], [world.home.keySet(GMS)]);
    await refusedBy("RESPONDER_UNKNOWN", () => open(octets, { receiver: self }));
    await refusedBy("RESPONDER_UNKNOWN", () => open(octets, { receiver: self, responderUri: BOB }));
  });

  it("54 HIDDEN_INITIATOR_UNKNOWN", async () => {
    const { octets } = await world.seal({ hideInitiator: true });
    await refusedBy("HIDDEN_INITIATOR_UNKNOWN", () => open(octets));
    await refusedBy("HIDDEN_INITIATOR_UNKNOWN", () => open(octets, { from: () => undefined }));
  });

  it("55 HIDDEN_INITIATOR_MISMATCH", async () => {
    const { octets } = await world.seal({ hideInitiator: true });
    await refusedBy("HIDDEN_INITIATOR_MISMATCH", () => open(octets, { from: BOB }));
    await refusedBy("HIDDEN_INITIATOR_MISMATCH", () => open(octets, { from: async () => BOB }));
  });

  it("56 KEY_EXPIRED: from the second after its expiry", async () => {
    const { octets } = await world.seal({ parameters: { expiry: NOW / 1000 + 60 } });
    await refusedBy("KEY_EXPIRED", () => open(octets, { now: NOW + 60_001 }));
    await expect(open(octets, { now: NOW + 60_000 })).resolves.toBeDefined();
  });

  it("57 KEY_REVOKED: an outcome without a key", async () => {
    const { octets } = await world.seal({ parameters: { revoked: true, expiry: 1 } });
    const opened = await open(octets);
    expect(opened).toMatchObject({ outcome: "revoked", code: "KEY_REVOKED", check: 57 });
    expect(opened).not.toHaveProperty("key");
  });

  describe("a message is refused for a key that is known already:", () => {
    const again = { key, keyId: 0x0abcdef0, rand: new Uint8Array(16) };

    /** A context whose state has seen one message, and the means to seal another. */
    async function afterFirst(parameters: SealRequest["parameters"] = {}) {
      const context = world.context();
      const first = await world.seal({ ...again, parameters });
      await openMessage(first.octets, context);
      return context;
    }

    it("58 KEY_ID_REVOKED", async () => {
      const context = await afterFirst({ revoked: true });
      const { octets } = await world.seal(again);
      await refusedBy("KEY_ID_REVOKED", () => openMessage(octets, context));
    });

    it("59 DUPLICATE_KEY_ID: of another initiator", async () => {
      const context = await afterFirst();
      const stranger = Initiator.load(world.home.domain, [world.home.keySet(BOB)]);
      const octets = resigned((await world.seal(again)).octets, stranger, (m) =>
        replace(
          m,
          "IDR",
          (p) => ({ ...p, id: new TextEncoder().encode(BOB) }),
          (p) => p.role === 1,
        ),
      );
      await refusedBy("DUPLICATE_KEY_ID", () => openMessage(octets, context));
    });

    it("60 KEY_ID_REUSED: with another key or RAND", async () => {
      const context = await afterFirst();
      const otherKey = await world.seal({ ...again, key: new Uint8Array(16).fill(1) });
      await refusedBy("KEY_ID_REUSED", () => openMessage(otherKey.octets, context));
      const otherRand = await world.seal({ ...again, rand: new Uint8Array(16).fill(1) });
      await refusedBy("KEY_ID_REUSED", () => openMessage(otherRand.octets, context));
    });

    it("61 NOT_NEWER", async () => {
      const context = world.context();
      const [older, newer] = [await world.seal(again), await world.seal(again)];
      const opened = (await openMessage(newer.octets, context)) as AcceptedMessage;
      expect(opened.renewed).toBe(false);
      await refusedBy("NOT_NEWER", () => openMessage(older.octets, context));
    });
  });
});
