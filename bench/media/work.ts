/** Group media of one talker, as any runtime protects and opens them: 20 ms of G.711 a packet. */
import { computeGukId, DeliveredKey, type KeyId, systemRandom } from "../../bindings/index.ts";
import { GroupMedia, type MaybePromise, writeRtpPacket } from "../../bindings/media/index.ts";

/** Packets a second, on one core. */
export interface MediaRates {
  readonly protect: number;
  readonly unprotect: number;
}

export const PAYLOAD_BYTES = 160;
/** Where ciphers work in the background, so many are under way at a time. */
const PIPELINE = 64;
const GMK_ID = 0x0123456 as KeyId;

export function clearPackets(count: number, ssrc: number): Uint8Array[] {
  const payload = systemRandom(PAYLOAD_BYTES);
  return Array.from({ length: count }, (_, n) =>
    writeRtpPacket(
      { marker: n === 0, payloadType: 8, sequenceNumber: n & 0xffff, timestamp: n * PAYLOAD_BYTES, ssrc },
      payload,
    ),
  );
}

function members(): GroupMedia[] {
  const [gmk, rand] = [systemRandom(16), systemRandom(16)];
  const keys = ["sip:alice@example.org", "sip:bob@example.org"].map(
    (uri) =>
      new DeliveredKey(gmk.slice(), {
        kind: "GMK",
        keyId: GMK_ID,
        ukId: computeGukId(gmk, GMK_ID, uri),
        rand,
      }),
  );
  return keys.map(
    (key) => new GroupMedia({ keys: { sending: () => key, receiving: () => key }, service: "mcptt" }),
  );
}

export async function measureOurs(count: number): Promise<MediaRates> {
  const [alice, bob] = members();
  const sender = alice!.sender();
  const clear = clearPackets(count, sender.ssrc);
  const sealed = await timed(clear, (packet) => sender.protect(packet));
  const opened = await timed(sealed.results, (packet) => bob!.receive(packet));
  if (!opened.results.every(({ ok }) => ok)) throw new Error("a genuine packet was refused");
  return { protect: sealed.rate, unprotect: opened.rate };
}

async function timed<T>(packets: readonly Uint8Array[], work: (packet: Uint8Array) => MaybePromise<T>) {
  const results: T[] = [];
  const started = performance.now();
  for (let at = 0; at < packets.length; at += PIPELINE) {
    const some = packets.slice(at, at + PIPELINE).map(work);
    if (some[0] instanceof Promise) results.push(...(await Promise.all(some)));
    else results.push(...(some as T[]));
  }
  return { results, rate: (1000 * packets.length) / (performance.now() - started) };
}
