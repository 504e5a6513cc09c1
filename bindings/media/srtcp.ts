/**
 * SRTCP with AEAD_AES_128_GCM and MKI (RFC 7714 9), for RTCP of media and for floor and transmission control
 * (TS 33.180 9.4): eight octets in clear, ciphertext, tag, E flag with the index, MKI. Everything is encrypted.
 */
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { andThen, type MaybePromise } from "../../base/maybe-promise.ts";
import { GCM_TAG_BYTES } from "./aes.ts";
import { srtcpNonce } from "./nonce.ts";
import { MAX_SRTCP_INDEX } from "./packet-index.ts";
import { RTCP_CLEAR_BYTES, readRtcpSsrc } from "./rtp.ts";
import { type SessionKeys, SRTCP_LABELS, type SrtpMaster, sessionKeys } from "./session-keys.ts";
import { type MediaRefusal, refused, Streams, type StreamsOptions } from "./streams.ts";

const INDEX_BYTES = 4;
const ENCRYPTED = 0x80000000;

export interface SrtcpSenderOptions {
  readonly ssrc: number;
  readonly mki: Uint8Array;
  /** Index of the last packet that the master key and SSRC have protected. Default 0. */
  readonly lastIndex?: number;
}

/** Protects the RTCP packets of one SSRC under one master key. */
export class SrtcpSender {
  readonly #keys: SessionKeys;
  readonly #options: SrtcpSenderOptions;
  #index: number;

  private constructor(keys: SessionKeys, options: SrtcpSenderOptions) {
    this.#keys = keys;
    this.#options = options;
    this.#index = options.lastIndex ?? 0;
  }

  /** Copies what it needs of `master`. */
  static create(master: SrtpMaster, options: SrtcpSenderOptions): MaybePromise<SrtcpSender> {
    return andThen(sessionKeys(master, SRTCP_LABELS), (keys) => new SrtcpSender(keys, options));
  }

  get ssrc(): number {
    return this.#options.ssrc;
  }

  get lastIndex(): number {
    return this.#index;
  }

  /** @throws MikeySakkeError usage: `BAD_RTCP`, `OTHER_SSRC`, `SRTCP_KEY_EXHAUSTED` after 2^31 - 1 packets */
  protect(packet: Uint8Array): MaybePromise<Uint8Array> {
    const { ssrc, mki } = this.#options;
    const own = readRtcpSsrc(packet);
    if (own === undefined) throw usage("BAD_RTCP", "not an RTCP packet");
    if (own !== ssrc) throw usage("OTHER_SSRC", `SSRC ${own}, this sender has ${ssrc}`);
    if (this.#index >= MAX_SRTCP_INDEX) {
      throw usage("SRTCP_KEY_EXHAUSTED", "2^31 - 1 packets under one key are all there may be");
    }
    const index = ++this.#index;
    const aad = new Uint8Array(RTCP_CLEAR_BYTES + INDEX_BYTES);
    aad.set(packet.subarray(0, RTCP_CLEAR_BYTES));
    new DataView(aad.buffer).setUint32(RTCP_CLEAR_BYTES, ENCRYPTED + index);
    const end = packet.length + GCM_TAG_BYTES;
    const out = new Uint8Array(end + INDEX_BYTES + mki.length);
    out.set(aad.subarray(0, RTCP_CLEAR_BYTES));
    out.set(aad.subarray(RTCP_CLEAR_BYTES), end);
    out.set(mki, end + INDEX_BYTES);
    const { cipher, salt } = this.#keys;
    const nonce = srtcpNonce(salt, ssrc, index);
    return cipher.seal(nonce, aad, packet.subarray(RTCP_CLEAR_BYTES), out, RTCP_CLEAR_BYTES);
  }
}

export interface SrtcpReceiverOptions extends StreamsOptions {
  /** Octets: 4 for CSK-ID, MuSiK-ID and PCK-ID, 8 for a group off-network. */
  readonly mkiBytes: number;
}

export interface UnprotectedRtcp {
  readonly ok: true;
  /** The compound RTCP packet in clear. */
  readonly packet: Uint8Array;
  readonly ssrc: number;
  readonly mki: Uint8Array;
  readonly index: number;
}

export class SrtcpReceiver {
  readonly #mkiBytes: number;
  readonly #streams: Streams;

  constructor(options: SrtcpReceiverOptions) {
    this.#mkiBytes = options.mkiBytes;
    this.#streams = new Streams(options, SRTCP_LABELS);
  }

  /** Streams that are kept. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Never throws for what is in a packet; a packet that is refused changes nothing. */
  unprotect(packet: Uint8Array): MaybePromise<UnprotectedRtcp | MediaRefusal> {
    const mkiAt = packet.length - this.#mkiBytes;
    const end = mkiAt - INDEX_BYTES;
    const ssrc = readRtcpSsrc(packet);
    if (ssrc === undefined || end < RTCP_CLEAR_BYTES + GCM_TAG_BYTES) return refused("malformed");
    const word = new DataView(packet.buffer, packet.byteOffset).getUint32(end);
    if (word < ENCRYPTED) return refused("not-encrypted");
    const index = word - ENCRYPTED;
    const mki = packet.subarray(mkiAt);
    return andThen(this.#streams.find(mki, ssrc), (stream) => {
      if (stream === undefined) return refused("unknown-key");
      if (!stream.window.isNew(index)) return refused("replayed");
      const aad = new Uint8Array(RTCP_CLEAR_BYTES + INDEX_BYTES);
      aad.set(packet.subarray(0, RTCP_CLEAR_BYTES));
      aad.set(packet.subarray(end, mkiAt), RTCP_CLEAR_BYTES);
      const nonce = srtcpNonce(stream.keys.salt, ssrc, index);
      return andThen(stream.keys.cipher.open(nonce, aad, packet, RTCP_CLEAR_BYTES, end), (rest) => {
        if (rest === undefined) return refused("not-authentic");
        const fault = this.#streams.admit(mki, ssrc, stream, index);
        if (fault !== undefined) return refused(fault);
        const clear = new Uint8Array(RTCP_CLEAR_BYTES + rest.length);
        clear.set(aad.subarray(0, RTCP_CLEAR_BYTES));
        clear.set(rest, RTCP_CLEAR_BYTES);
        return { ok: true, packet: clear, ssrc, mki: mki.slice(), index };
      });
    });
  }

  /** See `Streams.prune`. */
  prune(keep: (mki: Uint8Array) => boolean): void {
    this.#streams.prune(keep);
  }
}

function usage(code: ErrorCode, text: string): MikeySakkeError {
  return new MikeySakkeError("usage", code, text);
}
