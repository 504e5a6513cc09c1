/** Media of private calls and control signalling (TS 33.180 7.4.2, 9.4). */
import { describe, expect, it } from "vitest";
import { DeliveredKey, type KeyKind, PURPOSE_TAGS, systemRandom, toHex } from "../../bindings/index.ts";
import { ControlSignalling, PrivateMedia } from "../../bindings/media/index.ts";
import { rtcp, rtp, text } from "./packets.ts";

function keyPair(kind: KeyKind): [DeliveredKey, DeliveredKey] {
  const octets = systemRandom(16);
  const keyId = PURPOSE_TAGS[kind] * 2 ** 28 + 77;
  const fields = { kind, keyId, ukId: keyId, rand: systemRandom(16) };
  return [new DeliveredKey(octets.slice(), fields), new DeliveredKey(octets, fields)];
}

describe("media of a private call", () => {
  it("goes both ways, under a key for each", async () => {
    const [mine, theirs] = keyPair("PCK");
    const caller = new PrivateMedia({ pck: mine, service: "mcptt", side: "initiator" });
    const callee = new PrivateMedia({ pck: theirs, service: "mcptt", side: "receiver" });
    const clear = rtp(3, 1, text("hello"));
    const there = await (await caller.sender(3)).protect(clear);
    const back = await (await callee.sender(3)).protect(clear);
    expect(toHex(there)).not.toBe(toHex(back));
    expect(there.length).toBe(clear.length + 16 + 4);
    expect(await caller.receiver.unprotect(there)).toEqual({ ok: false, fault: "not-authentic" });
    expect(await callee.receiver.unprotect(there)).toMatchObject({ ok: true, packet: clear });
    expect(await caller.receiver.unprotect(back)).toMatchObject({ ok: true, packet: clear });
    expect(() => caller.sender(3)).toThrow(expect.objectContaining({ code: "SSRC_USED" }));
  });

  it("does not open under another key", () => {
    const [csk] = keyPair("CSK");
    const make = () => new PrivateMedia({ pck: csk, service: "mcptt", side: "initiator" });
    expect(make).toThrow(expect.objectContaining({ code: "NOT_A_PCK" }));
  });
});

describe("control signalling", () => {
  it.each(["CSK", "MuSiK"] as const)("opens under a %s", async (kind) => {
    const [mine, theirs] = keyPair(kind);
    const server = new ControlSignalling({
      sending: () => mine,
      receiving: () => undefined,
      service: "mcptt",
    });
    const client = (service: "mcptt" | "mcvideo") =>
      new ControlSignalling({
        sending: () => undefined,
        receiving: (keyId) => (keyId === theirs.keyId ? theirs : undefined),
        service,
      });
    const clear = rtcp(9, text("MCPT\x01\x02\x03\x04"));
    const packet = await (await server.sender(9)).protect(clear);
    expect(toHex(packet).includes(toHex(text("MCPT")))).toBe(false);
    expect(await client("mcptt").receiver.unprotect(packet)).toMatchObject({ ok: true, packet: clear });
    expect(await client("mcvideo").receiver.unprotect(packet)).toEqual({ ok: false, fault: "not-authentic" });
    expect(await server.receiver.unprotect(packet)).toEqual({ ok: false, fault: "unknown-key" });
    expect(() => client("mcptt").sender()).toThrow(expect.objectContaining({ code: "NO_CONTROL_KEY" }));
  });

  it("does not open under a media key", async () => {
    const [pck] = keyPair("PCK");
    const control = new ControlSignalling({ sending: () => pck, receiving: () => pck, service: "mcptt" });
    expect(() => control.sender()).toThrow(expect.objectContaining({ code: "NOT_A_CONTROL_KEY" }));
    const packet = rtcp(1, systemRandom(40));
    packet[packet.length - 8] = 0x80;
    expect(await control.receiver.unprotect(packet)).toEqual({ ok: false, fault: "unknown-key" });
  });
});
