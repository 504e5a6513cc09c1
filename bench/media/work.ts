/** Group media of one talker, as any runtime protects and opens them: 20 ms of G.711 a packet. */

import { andThen } from "../../base/maybe-promise.ts";
import { computeGukId, DeliveredKey, type KeyId, systemRandom } from "../../bindings/index.ts";
import { GroupMedia, type MaybePromise, writeRtpPacket } from "../../bindings/media/index.ts";

/** Packets a second, on one core. */
export interface MediaRates {
  readonly protect: number;
  readonly unprotect: number;
}

export const PAYLOAD_BYTES = 160;
/** Packets under way at a time where ciphers work in the background. */
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
  const clear = clearPackets(2 * count, sender.ssrc);
  const protect = await rate(clear.slice(0, count), (packet) => sender.protect(packet));
  const sealed = await inTurn(clear.slice(count), (packet) => sender.protect(packet));
  let refused = 0;
  const unprotect = await rate(sealed, (packet) =>
    andThen(bob!.receive(packet), ({ ok }) => ok || refused++),
  );
  if (refused > 0) throw new Error(`${refused} genuine packets were refused`);
  return { protect, unprotect };
}

/** Packets a second. As with the peers, nothing is kept of a packet that is done. */
async function rate(packets: readonly Uint8Array[], work: Work<unknown>): Promise<number> {
  const started = performance.now();
  for (let at = 0; at < packets.length; at += PIPELINE) await some(packets, at, work);
  return (1000 * packets.length) / (performance.now() - started);
}

async function inTurn<T>(packets: readonly Uint8Array[], work: Work<T>): Promise<T[]> {
  const results: T[] = [];
  for (let at = 0; at < packets.length; at += PIPELINE) results.push(...(await some(packets, at, work)));
  return results;
}

type Work<T> = (packet: Uint8Array) => MaybePromise<T>;

/** Returns the results of the packets from `at` on that are under way together. */
function some<T>(packets: readonly Uint8Array[], at: number, work: Work<T>): MaybePromise<T[]> {
  const results = packets.slice(at, at + PIPELINE).map(work);
  return results[0] instanceof Promise ? Promise.all(results) : (results as T[]);
}
