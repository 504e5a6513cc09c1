/** Published and computed packets of SRTP and SRTCP with AEAD_AES_128_GCM (test/vectors/srtp-aes-gcm.json). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../bindings/index.ts";
import { importGcmKey } from "../../bindings/media/aes.ts";
import { SrtcpReceiver, SrtcpSender, SrtpReceiver, SrtpSender } from "../../bindings/media/index.ts";
import { srtcpNonce, srtpNonce } from "../../bindings/media/nonce.ts";
import { readRtpHeader } from "../../bindings/media/rtp.ts";
import { deriveSession, SRTCP_LABELS, SRTP_LABELS } from "../../bindings/media/session-keys.ts";

type Vector = Record<string, string> & { encrypted?: boolean };
const file = new URL("../vectors/srtp-aes-gcm.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as {
  packet_vectors: Vector[];
  key_derivation_vectors: Vector[];
  computed_packets: Vector[];
};
const octets = (vector: Vector, name: string) => fromHex(vector[name]!, name);
const number = (vector: Vector, name: string) => Number.parseInt(vector[name]!, 16);
const byId = (list: Vector[], id: string) => list.find((vector) => vector.id === id)!;

describe("the vectors of RFC 7714:", () => {
  const aes128 = vectors.packet_vectors.filter(
    ({ algorithm, encrypted }) => algorithm === "AEAD_AES_128_GCM" && encrypted,
  );
  it.each(aes128.filter(({ kind }) => kind === "srtp").map((v) => [v.id!, v] as const))(
    "SRTP packet %s is reproduced",
    async (_, vector) => {
      const header = octets(vector, "rtp_header");
      expect(readRtpHeader(header)?.length).toBe(12);
      const index = number(vector, "roc") * 0x10000 + number(vector, "seq");
      const room = new Uint8Array(12).fill(0xff);
      const nonce = srtpNonce(octets(vector, "session_salt"), number(vector, "ssrc"), index, room);
      expect(nonce).toBe(room);
      expect(toHex(nonce)).toBe(vector.iv);
      const cipher = await importGcmKey(octets(vector, "session_key"));
      const plain = octets(vector, "payload_plaintext");
      const sealed = await cipher.seal(nonce, header, plain, new Uint8Array(plain.length + 16), 0);
      expect(toHex(header) + toHex(sealed)).toBe(vector.packet);
    },
  );

  it.each(aes128.filter(({ kind }) => kind === "srtcp").map((v) => [v.id!, v] as const))(
    "SRTCP packet %s is reproduced",
    async (_, vector) => {
      const nonce = srtcpNonce(
        octets(vector, "session_salt"),
        number(vector, "ssrc"),
        number(vector, "srtcp_index"),
      );
      expect(toHex(nonce)).toBe(vector.iv);
      const cipher = await importGcmKey(octets(vector, "session_key"));
      const plain = octets(vector, "rtcp_plaintext_after_first_8");
      const sealed = await cipher.seal(
        nonce,
        octets(vector, "aad"),
        plain,
        new Uint8Array(plain.length + 16),
        0,
      );
      expect(vector.rtcp_header_first_8! + toHex(sealed) + vector.esrtcp_word!).toBe(vector.packet);
    },
  );
});

describe("derived session keys", () => {
  const aead = byId(vectors.key_derivation_vectors, "computed-aead-kdf-1");
  const master = () => ({ key: octets(aead, "master_key"), salt: octets(aead, "master_salt") });

  it("are those of RFC 3711 B.3: cipher key", async () => {
    const vector = byId(vectors.key_derivation_vectors, "rfc3711-B.3");
    // A 14-octet salt, of which ours would be the first 12 with two zeros behind.
    const salt = octets(vector, "master_salt");
    const key = octets(vector, "master_key");
    expect(toHex(await deriveSession({ key, salt }, SRTP_LABELS.key, 16))).toBe(vector.cipher_key);
    expect(toHex(await deriveSession({ key, salt }, SRTP_LABELS.salt, 14))).toBe(vector.cipher_salt);
  });

  it("of an AEAD agree with the vectors", async () => {
    expect(toHex(await deriveSession(master(), SRTP_LABELS.key, 16))).toBe(aead.rtp_cipher_key);
    expect(toHex(await deriveSession(master(), SRTP_LABELS.salt, 12))).toBe(aead.rtp_cipher_salt);
    expect(toHex(await deriveSession(master(), SRTCP_LABELS.key, 16))).toBe(aead.rtcp_cipher_key);
    expect(toHex(await deriveSession(master(), SRTCP_LABELS.salt, 12))).toBe(aead.rtcp_cipher_salt);
  });

  it.each(["computed-packet-rtp-8octet-mki", "computed-packet-rtp-roc1"])(
    "protect and open packet %s",
    async (id) => {
      const vector = byId(vectors.computed_packets, id);
      const mki = octets(vector, "mki");
      const clear = fromHex(vector.rtp_header! + vector.payload_plaintext!);
      const firstRoc = number(vector, "roc");
      const ssrc = 0xdeadbeef;
      const plain = await SrtpSender.create(master(), { ssrc, mki, roc: undefined, firstRoc });
      expect(toHex(await plain.protect(clear))).toBe(vector.packet_without_rcc);
      const sender = await SrtpSender.create(master(), { ssrc, mki, roc: { rate: 1 }, firstRoc });
      expect(toHex(await sender.protect(clear))).toBe(vector.packet_with_rcc_mode3_roc_appended);

      const options = { mkiBytes: 8, resolve: () => master() };
      const late = new SrtpReceiver({ ...options, roc: { rate: 1 } });
      const taken = await late.unprotect(octets(vector, "packet_with_rcc_mode3_roc_appended"));
      expect(taken).toMatchObject({ ok: true, packet: clear, mki });
      const withoutRoc = new SrtpReceiver({ ...options, roc: undefined });
      const start = await withoutRoc.unprotect(octets(vector, "packet_without_rcc"));
      expect(start.ok).toBe(firstRoc === 0);
    },
  );

  it("protect and open packet computed-packet-rtcp-4octet-mki", async () => {
    const vector = byId(vectors.computed_packets, "computed-packet-rtcp-4octet-mki");
    const mki = octets(vector, "mki");
    const clear = fromHex(vector.rtcp_header_first_8! + vector.rtcp_plaintext_after_first_8!);
    const sender = await SrtcpSender.create(master(), { ssrc: 0xdeadbeef, mki });
    expect(toHex(await sender.protect(clear))).toBe(vector.packet);
    const receiver = new SrtcpReceiver({ mkiBytes: 4, resolve: () => master() });
    expect(await receiver.unprotect(octets(vector, "packet"))).toMatchObject({
      ok: true,
      packet: clear,
      index: 1,
    });
  });
});
