/** The same packets by node:crypto alone, which does nothing but the cipher, and by werift-rtp. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { RtpHeader, RtpPacket, SrtpSession } from "werift-rtp";
import { clearPackets, type MediaRates } from "./work.ts";

const SSRC = 0x1234567;
const [HEADER_BYTES, TAG_BYTES] = [12, 16];
/** AEAD_AES_128_GCM of RFC 7714 14.2. */
const PROFILE = 7;

export function measureCrypto(count: number): MediaRates {
  const [key, salt] = [randomBytes(16), randomBytes(12)];
  const ivs = Array.from({ length: count }, (_, n) => {
    const iv = Buffer.from(salt);
    iv.writeUInt32BE((iv.readUInt32BE(8) ^ n) >>> 0, 8);
    return iv;
  });
  const clear = clearPackets(count, SSRC);
  const seal = (packet: Uint8Array, n: number) => {
    const cipher = createCipheriv("aes-128-gcm", key, ivs[n]!, { authTagLength: TAG_BYTES });
    cipher.setAAD(packet.subarray(0, HEADER_BYTES));
    const content = cipher.update(packet.subarray(HEADER_BYTES));
    cipher.final();
    return { content, tag: cipher.getAuthTag() };
  };
  const protect = rate(clear, seal);
  const sealed = clear.map(seal);
  const unprotect = rate(sealed, ({ content, tag }, n) => {
    const decipher = createDecipheriv("aes-128-gcm", key, ivs[n]!, { authTagLength: TAG_BYTES });
    decipher.setAAD(clear[n]!.subarray(0, HEADER_BYTES));
    decipher.setAuthTag(tag);
    const content2 = decipher.update(content);
    decipher.final();
    return content2;
  });
  return { protect, unprotect };
}

export function measureWerift(count: number): MediaRates {
  const [key, salt] = [randomBytes(16), randomBytes(12)];
  const keys = { localMasterKey: key, localMasterSalt: salt, remoteMasterKey: key, remoteMasterSalt: salt };
  const [from, to] = [0, 1].map(() => new SrtpSession({ keys, profile: PROFILE }));
  const packets = clearPackets(count, SSRC).map((packet) => {
    const { payload, header } = RtpPacket.deSerialize(Buffer.from(packet));
    return { payload, header: new RtpHeader(header) };
  });
  const sealed: Buffer[] = [];
  const protect = rate(packets, ({ payload, header }) => sealed.push(from!.encrypt(payload, header)));
  const unprotect = rate(sealed, (packet) => to!.decrypt(packet));
  return { protect, unprotect };
}

function rate<T>(of: readonly T[], work: (one: T, n: number) => unknown): number {
  const started = performance.now();
  for (const [n, one] of of.entries()) work(one, n);
  return (1000 * of.length) / (performance.now() - started);
}
