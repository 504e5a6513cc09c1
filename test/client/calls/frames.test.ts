/** Tests what becomes of the frames that were received: each is played, or counted for what it was. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { G711_FRAME, GroupMedia } from "../../../bindings/media/index.ts";
import { Identities } from "../../../roles/call/identities.ts";
import { Listener } from "../../../roles/call/listener.ts";
import { NamedTalkers } from "../../../roles/call/named-talkers.ts";
import { g711Codec } from "../../../roles/call/speech-codec.ts";
import { TalkerStream } from "../../../roles/call/talker-stream.ts";
import { VoiceSender } from "../../../roles/call/voice-sender.ts";
import { gmkOf } from "../../media/packets.ts";
import { seededRandom } from "../../support/random.ts";
import { frameOf, Net } from "./medium.ts";
import { ALL, join, Ring, TestServer } from "./members.ts";

const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffffffff });

describe("received frames", () => {
  it("are all played or counted, whatever numbers and times their packets have", () => {
    const near = fc.integer({ min: 0, max: 40 }).map((n) => (0xfff0 + n) & 0xffff);
    const packet = fc.record({ sequenceNumber: fc.oneof(near, uint16), timestamp: uint32, arrival: uint32 });
    const step = fc.oneof(packet, packet, fc.constant("pull" as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const stream = new TalkerStream(1, {});
        let [pushed, played] = [0, 0];
        for (const one of steps) {
          if (one === "pull") {
            if (typeof stream.pull() !== "string") played++;
          } else {
            stream.push({ ...one, timestampStep: G711_FRAME, frame: frameOf(pushed) });
            pushed++;
          }
        }
        const { late, duplicate, dropped, buffered, ...counters } = stream.counters;
        expect(counters.played).toBe(played);
        expect(played + late + duplicate + dropped + buffered).toBe(pushed);
        stream.end();
        expect(stream.counters).toMatchObject({ played, dropped: dropped + buffered, buffered: 0 });
      }),
    );
  });

  it("are counted when a full jitter buffer drops them", async () => {
    const net = new Net("full");
    const server = new TestServer(net);
    const [alice, bob] = gmkOf(0x0111111, ALL).map((key, i) => join(net, server, ALL[i]!, new Ring(key)));
    alice!.call.request();
    await net.clock.pass(100);
    for (let n = 0; n < 44; n++) await alice!.call.send(frameOf(n));
    let played = 0;
    for (let n = 0; n < 60; n++) if (bob!.call.play() !== undefined) played++;
    server.stop();
    const { media } = bob!.call.counters;
    expect(media).toMatchObject({ received: 44, played, late: 0, duplicate: 0, buffered: 0 });
    expect(media.dropped).toBe(44 - played);
    expect(media.dropped).toBeGreaterThanOrEqual(44 - 16);
  });

  it("are counted when their stream gives way to newer ones", async () => {
    const [said, heard] = gmkOf(0x0111111, ALL).map((key) => new Ring(key));
    const random = seededRandom("streams");
    const media = new GroupMedia({ keys: said!, service: "mcptt", random });
    let now = 0;
    const listener = new Listener({
      media: new GroupMedia({ keys: heard!, service: "mcptt", maxStreams: 1000 }),
      keys: heard!,
      identities: new Identities(heard!, () => ALL),
      talkers: new NamedTalkers(),
      ownSsrc: 1,
      now: () => now,
      onTalker: () => undefined,
      onMismatch: () => undefined,
    });
    const count = 100;
    for (let n = 0; n < count; n++) {
      now += 20;
      const sender = new VoiceSender({
        stream: media.sender(),
        codec: g711Codec("PCMA"),
        now: () => now,
        random,
      });
      await listener.take(await sender.seal(new Int16Array(G711_FRAME)));
    }
    const { received, dropped, buffered } = listener.counters;
    expect(received).toBe(count);
    expect(dropped).toBeGreaterThan(0);
    expect(dropped + buffered).toBe(count);
  });
});
