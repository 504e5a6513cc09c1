/** SRTP keys from a delivered key (TS 33.180 7.4, RFC 3830 4.1.3, RFC 7714): master key and salt, session keys. */
import { toHex } from "../../base/bytes.ts";
import { deriveSrtpMaster } from "../../bindings/identity/kdf.ts";
import { deriveSession, SRTCP_LABELS, SRTP_LABELS } from "../../bindings/media/session-keys.ts";
import { seededRandom } from "../../test/support/random.ts";

export interface MediaTest {
  readonly comment: string;
  readonly key: string;
  readonly csId: number;
  readonly csbId: string;
  readonly rand: string;
  readonly result: "valid";
  readonly expected: Readonly<Record<string, string>>;
}

/** CS-IDs of table E.1.3-1, and what the keys of the vectors stand for. */
const ROWS: readonly [comment: string, csId: number, csbId: string][] = [
  ["MCPTT group call, GUK-ID of the sender", 4, "06a12aea"],
  ["MCVideo group call, GUK-ID of the sender", 5, "0ea5b4f9"],
  ["MCPTT private call, initiator", 0, "1b2c3d4e"],
  ["MCPTT private call, receiver", 1, "1b2c3d4e"],
  ["floor control under a CSK", 6, "2345678a"],
];

export async function mediaTests(): Promise<MediaTest[]> {
  const tests: MediaTest[] = [];
  for (const [comment, csId, csbId] of ROWS) {
    const random = seededRandom(`media ${comment}`);
    const [key, rand] = [random(16), random(16)];
    const input = { tgk: key, csId, csbId: Number.parseInt(csbId, 16), rand };
    const master = deriveSrtpMaster(input);
    const session = async (label: number, length: number) =>
      toHex(await deriveSession(master, label, length));
    tests.push({
      comment,
      key: toHex(key),
      csId,
      csbId,
      rand: toHex(rand),
      result: "valid",
      expected: {
        masterKey: toHex(master.key),
        masterSalt: toHex(master.salt),
        srtpKey: await session(SRTP_LABELS.key, 16),
        srtpSalt: await session(SRTP_LABELS.salt, 12),
        srtcpKey: await session(SRTCP_LABELS.key, 16),
        srtcpSalt: await session(SRTCP_LABELS.salt, 12),
      },
    });
  }
  return tests;
}
