/**
 * Forged, replayed, truncated and reordered packets: none is accepted but the genuine ones, each of them once; nothing is
 * thrown, and memory stays flat. `npm run test:media` takes a million of them.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import {
  GroupMedia,
  type MediaRefusal,
  SrtcpReceiver,
  SrtcpSender,
  type UnprotectedRtcp,
  type UnprotectedRtp,
} from "../../bindings/media/index.ts";
import { seededRandom } from "../support/random.ts";
import { gmkOf, rtcp, rtp } from "./packets.ts";

const COUNT = process.env.MIKEY_SAKKE_LONG === undefined ? 40_000 : 1_000_000;
/** MKI and ROC, which the tag does not cover. */
const CLEAR_END = 12;
const GROWTH = 8 << 20;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const heap = () => {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

type Taken = { readonly ok: true; readonly packet: Uint8Array } | MediaRefusal;

class Attack {
  readonly faults: Record<string, number> = {};
  readonly accepted = new Map<number, number>();
  readonly #random: (length: number) => Uint8Array;
  readonly #take: (packet: Uint8Array) => Taken;
  readonly #clearEnd: number;

  constructor(seed: string, take: (packet: Uint8Array) => Taken, clearEnd: number) {
    this.#random = seededRandom(seed);
    this.#take = take;
    this.#clearEnd = clearEnd;
  }

  below(end: number): number {
    const [a, b, c] = this.#random(3);
    return (a! * 65_536 + b! * 256 + c!) % end;
  }

  /** A genuine packet, which was not heard yet. */
  genuine(n: number, packet: Uint8Array): void {
    const taken = this.#take(packet);
    if (taken.ok) this.accepted.set(n, (this.accepted.get(n) ?? 0) + 1);
    else this.#note(taken.fault);
  }

  /** Something that was made of a packet that has been heard, or of nothing. */
  forged(heard: Uint8Array): void {
    const taken = this.#take(this.#forge(heard));
    expect(taken.ok, JSON.stringify(taken)).toBe(false);
    if (!taken.ok) this.#note(taken.fault);
  }

  #note(fault: string): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
  }

  #forge(heard: Uint8Array): Uint8Array {
    const packet = heard.slice();
    const last = packet.length - this.#clearEnd;
    switch (this.below(8)) {
      case 0:
        return packet;
      case 1:
        return packet.subarray(0, this.below(packet.length));
      case 2:
        return this.#random(this.below(300));
      case 3:
        packet.set(this.#random(4), 8);
        return packet;
      case 4:
        // The last octets are not covered by the tag.
        packet[last + this.below(this.#clearEnd)]! ^= 1 << this.below(8);
        return packet;
      case 5: {
        const longer = new Uint8Array(packet.length + 1 + this.below(40));
        longer.set(packet);
        return longer;
      }
      case 6:
        packet.set(this.#random(2), 2);
        packet[0] = 0x80 | this.below(64);
        return packet[0] === heard[0] && packet[2] === heard[2] && packet[3] === heard[3] ? heard : packet;
      default:
        packet[this.below(last)]! ^= 1 << this.below(8);
        return packet;
    }
  }
}

/** Genuine packets come now and then, up to `DISORDER` places out of order. */
const DISORDER = 30;
const GENUINE_EACH = 20;

function run(attack: Attack, make: (n: number) => Uint8Array): { genuine: number; growth: number } {
  const waiting: { n: number; packet: Uint8Array }[] = [];
  const first = make(0);
  attack.genuine(0, first);
  const heard = [first];
  let [genuine, before] = [1, 0];
  for (let i = 0; i < COUNT; i++) {
    if (i === Math.floor(COUNT / 5)) before = heap();
    if (i % GENUINE_EACH === 0) {
      waiting.push({ n: genuine, packet: make(genuine) });
      genuine++;
    }
    if (waiting.length > DISORDER) {
      const [{ n, packet }] = waiting.splice(attack.below(waiting.length), 1) as [(typeof waiting)[0]];
      // None is left behind for so long that the replay window has passed it.
      const oldest = waiting.findIndex((other) => genuine - other.n > 2 * DISORDER);
      attack.genuine(n, packet);
      heard.push(packet);
      if (oldest >= 0) {
        const [late] = waiting.splice(oldest, 1);
        attack.genuine(late!.n, late!.packet);
      }
      if (heard.length > 200) heard.shift();
    }
    attack.forged(heard[attack.below(heard.length)]!);
  }
  for (const { n, packet } of waiting) attack.genuine(n, packet);
  return { genuine, growth: heap() - before };
}

function expectSound({ accepted, faults }: Attack, { genuine, growth }: ReturnType<typeof run>): void {
  expect(accepted.size).toBe(genuine);
  expect([...accepted.values()].every((times) => times === 1)).toBe(true);
  expect(Object.values(faults).reduce((sum, count) => sum + count)).toBe(COUNT);
  for (const fault of ["malformed", "unknown-key", "replayed", "not-authentic"]) {
    expect(faults[fault], fault).toBeGreaterThan(COUNT / 100);
  }
  expect(growth).toBeLessThan(GROWTH);
}

it("hostile media packets: only the genuine ones are accepted, each of them once", {
  timeout: 600_000,
}, () => {
  const [alice, bob] = gmkOf(0x0515151, ["sip:alice@home.example", "sip:bob@home.example"]);
  const receiving = (gmkId: number) => (gmkId === alice!.keyId ? bob! : undefined);
  const [from, to] = [alice!, bob!].map(
    (key) => new GroupMedia({ keys: { sending: () => key, receiving }, service: "mcptt", replayWindow: 256 }),
  );
  const sender = from!.sender();
  const attack = new Attack(
    "media",
    (packet) => to!.receive(packet) as UnprotectedRtp | MediaRefusal,
    CLEAR_END,
  );
  const make = (n: number) =>
    sender.protect(rtp(sender.ssrc, (65_000 + n) % 65_536, new Uint8Array(160).fill(n))) as Uint8Array;
  expectSound(attack, run(attack, make));
});

it("hostile control signalling packets: only the genuine ones are accepted, each of them once", {
  timeout: 600_000,
}, () => {
  const ssrc = 0x00c0ffee;
  const mki = Uint8Array.of(0x20, 1, 2, 3);
  const master = () => ({ key: new Uint8Array(16).fill(7), salt: new Uint8Array(12).fill(9) });
  const sender = SrtcpSender.create(master(), { ssrc, mki }) as SrtcpSender;
  const resolve = (given: Uint8Array) => (Buffer.from(given).equals(mki) ? master() : undefined);
  const receiver = new SrtcpReceiver({ mkiBytes: 4, resolve, replayWindow: 256 });
  const attack = new Attack(
    "control",
    (packet) => {
      const taken = receiver.unprotect(packet) as UnprotectedRtcp | MediaRefusal;
      // RTCP whose E flag is off has a fault of its own.
      return !taken.ok && taken.fault === "not-encrypted" ? { ok: false, fault: "not-authentic" } : taken;
    },
    4,
  );
  const text = new Uint8Array(48);
  const make = (n: number) => {
    new DataView(text.buffer).setUint32(0, n);
    return sender.protect(rtcp(ssrc, text)) as Uint8Array;
  };
  expectSound(attack, run(attack, make));
  expect(receiver.streams).toBe(1);
});
