/** Media of a group: one key a sender, found from the MKI; several GMKs at a time; members that left (TS 33.180 7.4, 7.5). */
import { describe, expect, it, vi } from "vitest";
import { type DeliveredKey, type KeyId, systemRandom, toHex } from "../../bindings/index.ts";
import {
  drawnBlocks,
  GroupMedia,
  type GroupMediaKeys,
  readGroupMki,
  sendersOf,
} from "../../bindings/media/index.ts";
import { gmkOf, rtcp, rtp, text } from "./packets.ts";

const ALICE = "sip:alice@example.org";
const BOB = "sip:bob@example.org";
const CAROL = "sip:carol@example.org";

/** A key ring that sends under the newest of its keys, which is the last. */
function ring(...held: DeliveredKey[]): GroupMediaKeys & { held: DeliveredKey[] } {
  return {
    held,
    sending() {
      return this.held.at(-1);
    },
    receiving(gmkId: KeyId) {
      return this.held.find((key) => key.keyId === gmkId);
    },
  };
}

describe("group media", () => {
  it("reaches every member, from each under a key of its own", async () => {
    const [alice, bob, carol] = gmkOf(0x0123456, [ALICE, BOB, CAROL]);
    const ends = [alice!, bob!, carol!].map((key) => new GroupMedia({ keys: ring(key), service: "mcptt" }));
    const sealed: string[] = [];
    for (const end of ends) {
      const sender = end.sender(7);
      const clear = rtp(7, 1, text("same words"));
      const packet = await sender.protect(clear);
      sealed.push(toHex(packet.subarray(12, 22)));
      for (const other of ends) {
        expect(await other.receive(packet)).toMatchObject({ ok: true, packet: clear });
      }
    }
    expect(new Set(sealed).size).toBe(3);
  });

  it("gives each packet its own nonce where several are under way, as with WebCrypto", async () => {
    const [alice, bob] = gmkOf(0x0123456, [ALICE, BOB]);
    const end = (key: DeliveredKey) => new GroupMedia({ keys: ring(key), service: "mcptt" });
    const clear = [1, 2, 3].map((n) => rtp(7, n, text(`word ${n}`)));
    // As in a browser, which has no modules of Node.
    const hidden = vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined);
    const sender = end(alice!).sender(7);
    const sealed = await Promise.all(clear.map((packet) => sender.protect(packet)));
    const inBrowser = end(bob!);
    const opened = await Promise.all(sealed.map((packet) => inBrowser.receive(packet)));
    hidden.mockRestore();
    expect(opened).toMatchObject(clear.map((packet) => ({ ok: true, packet })));
    const inNode = end(bob!);
    expect(sealed.map((packet) => inNode.receive(packet))).toMatchObject(
      clear.map((packet) => ({ ok: true, packet })),
    );
  });

  it("names the sender by its GUK-ID", async () => {
    const [alice, bob] = gmkOf(0x0123456, [ALICE, BOB]);
    const sender = new GroupMedia({ keys: ring(bob!), service: "mcvideo" }).sender();
    const packet = await sender.protect(rtp(sender.ssrc, 1, text("x")));
    const taken = await new GroupMedia({ keys: ring(alice!), service: "mcvideo" }).receive(packet);
    if (!taken.ok) throw new Error(taken.fault);
    const { gmkId, gukId } = readGroupMki(taken.mki);
    expect(gmkId).toBe(0x0123456);
    expect(sendersOf(alice!, [ALICE, BOB, CAROL]).get(gukId)).toBe(BOB);
  });

  it("of MCPTT and of MCVideo have different keys", async () => {
    const [alice, bob] = gmkOf(0x0123456, [ALICE, BOB]);
    const sender = new GroupMedia({ keys: ring(alice!), service: "mcptt" }).sender(1);
    const packet = await sender.protect(rtp(1, 1, text("x")));
    const video = new GroupMedia({ keys: ring(bob!), service: "mcvideo" });
    expect(await video.receive(packet)).toEqual({ ok: false, fault: "not-authentic" });
  });

  it("is not heard by a member with another key, nor under a key that was dropped", async () => {
    const [alice, bob] = gmkOf(0x0123456, [ALICE, BOB]);
    const [stranger] = gmkOf(0x0654321, [CAROL]);
    const [impostor] = gmkOf(0x0123456, [CAROL]);
    const sender = new GroupMedia({ keys: ring(alice!), service: "mcptt" }).sender(1);
    const packets: Uint8Array[] = [];
    for (let n = 1; n <= 3; n++) packets.push(await sender.protect(rtp(1, n, text("x"))));
    const receive = (key: DeliveredKey, packet: Uint8Array) =>
      new GroupMedia({ keys: ring(key), service: "mcptt" }).receive(packet);
    expect(await receive(stranger!, packets[0]!)).toEqual({ ok: false, fault: "unknown-key" });
    expect(await receive(impostor!, packets[0]!)).toEqual({ ok: false, fault: "not-authentic" });

    const keys = ring(bob!);
    const end = new GroupMedia({ keys, service: "mcptt" });
    expect((await end.receive(packets[0]!)).ok).toBe(true);
    keys.held = [];
    expect(await end.receive(packets[1]!)).toEqual({ ok: false, fault: "unknown-key" });
    expect(await end.receive(packets[2]!)).toEqual({ ok: false, fault: "unknown-key" });
    expect(() => end.sender().protect(rtp(1, 1, text("x")))).toThrow(
      expect.objectContaining({ code: "NO_GROUP_KEY" }),
    );
  });

  it("continues through a change of key, with loss and disorder, and is heard by latecomers", async () => {
    const old = gmkOf(0x0111111, [ALICE, BOB, CAROL]);
    const fresh = gmkOf(0x0222222, [ALICE, BOB, CAROL]);
    const keys = ring(old[0]!);
    const sender = new GroupMedia({ keys, service: "mcptt" }).sender(99);
    const sent: { clear: Uint8Array; packet: Uint8Array }[] = [];
    // 300 packets across a wrap of the sequence number, the key changes after the wrap.
    for (let n = 0; n < 300; n++) {
      if (n === 150) keys.held.push(fresh[0]!);
      const clear = rtp(99, (65_500 + n) % 65_536, text(`packet ${n}`));
      sent.push({ clear, packet: await sender.protect(clear) });
    }
    expect(new Set(sent.map(({ packet }) => toHex(packet.subarray(-12, -4)))).size).toBe(2);
    const arriving = sent
      .filter((_, n) => n % 20 !== 7)
      .map((entry, n) => ({ ...entry, place: n + ((n * 7) % 11) }))
      .sort((a, b) => a.place - b.place);
    const bob = new GroupMedia({ keys: ring(old[1]!, fresh[1]!), service: "mcptt" });
    for (const { clear, packet } of arriving) {
      expect(await bob.receive(packet)).toMatchObject({ ok: true, packet: clear });
    }
    const carol = new GroupMedia({ keys: ring(fresh[2]!), service: "mcptt" });
    for (const { clear, packet } of sent.slice(200)) {
      expect(await carol.receive(packet)).toMatchObject({ ok: true, packet: clear });
    }
  });

  it("continues its count when the key changes just as the sequence number wraps", async () => {
    const old = gmkOf(0x0111111, [ALICE, BOB]);
    const fresh = gmkOf(0x0222222, [ALICE, BOB]);
    const keys = ring(old[0]!);
    const sender = new GroupMedia({ keys, service: "mcptt" }).sender(9);
    const bob = new GroupMedia({ keys: ring(old[1]!, fresh[1]!), service: "mcptt" });
    const index = async (n: number) => bob.receive(await sender.protect(rtp(9, n, text("x"))));
    const first = await index(0xffff);
    if (!first.ok) throw new Error(first.fault);
    keys.held.push(fresh[0]!);
    expect(await index(0)).toMatchObject({ ok: true, index: first.index + 1 });
    expect(await index(1)).toMatchObject({ ok: true, index: first.index + 2 });
  });

  it("never uses an SSRC twice under one key", async () => {
    const [alice] = gmkOf(0x0123456, [ALICE]);
    const end = new GroupMedia({ keys: ring(alice!), service: "mcptt" });
    await end.sender(5).protect(rtp(5, 1, text("x")));
    expect(() => end.sender(5).protect(rtp(5, 9, text("x")))).toThrow(
      expect.objectContaining({ code: "SSRC_USED" }),
    );
  });

  it("draws another SSRC when one repeats, so that a long-lived stream is not lost to chance", async () => {
    const [alice] = gmkOf(0x0123456, [ALICE]);
    const draws = [7, 7, 7, 9];
    const random = (length: number) => new Uint8Array(length).fill(draws.shift() ?? 1);
    const blocks = drawnBlocks(systemRandom);
    const end = new GroupMedia({ keys: ring(alice!), service: "mcptt", random, blocks });
    const senders = [end.sender(), end.sender()];
    expect(senders.map(({ ssrc }) => ssrc)).toEqual([0x07070707, 0x09090909]);
    for (const sender of senders) await sender.protect(rtp(sender.ssrc, 1, text("x")));
  });

  it("carries floor control off-network under the keys of media", async () => {
    const [alice, bob] = gmkOf(0x0123456, [ALICE, BOB]);
    const sender = new GroupMedia({ keys: ring(alice!), service: "mcptt" }).sender(5);
    const clear = rtcp(5, text("MCPT\0\0\0\0"));
    const packet = await sender.protectRtcp(clear);
    const end = new GroupMedia({ keys: ring(bob!), service: "mcptt" });
    expect(await end.receiveRtcp(packet)).toMatchObject({ ok: true, packet: clear, ssrc: 5 });
    expect(await end.receiveRtcp(packet)).toEqual({ ok: false, fault: "replayed" });
  });
});
