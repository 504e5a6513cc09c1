/**
 * SRTP with AEAD_AES_128_GCM (RFC 3711, RFC 7714 8), MKI and ROC transport of RFC 4771 mode 3, as TS 33.180 7.5.1 uses it:
 * header, ciphertext, tag, MKI, and in every R-th packet the ROC. MKI and ROC are not authenticated; a wrong one makes
 * the tag fail, as it picks the key or enters the nonce.
 */
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { andThen, type MaybePromise } from "../../base/maybe-promise.ts";
import { GCM_NONCE_BYTES, GCM_TAG_BYTES } from "./aes.ts";
import { srtpNonce } from "./nonce.ts";
import { guessIndex, MAX_SRTP_INDEX, SEQUENCE_NUMBERS } from "./packet-index.ts";
import { PacketOctets } from "./packet-octets.ts";
import { type RtpHeader, readRtpHeader, readUint32, writeUint32 } from "./rtp.ts";
import { type SessionKeys, SRTP_LABELS, type SrtpMaster, sessionKeys } from "./session-keys.ts";
import { type MediaRefusal, refused, type Stream, Streams, type StreamsOptions } from "./streams.ts";

const ROC_BYTES = 4;

/** RFC 4771: every packet whose sequence number is a multiple of `rate` carries the ROC. */
export interface RocTransport {
  readonly rate: number;
}

export interface SrtpSenderOptions {
  readonly ssrc: number;
  readonly mki: Uint8Array;
  /** Undefined: no packet carries the ROC. */
  readonly roc: RocTransport | undefined;
  /** ROC of the first packet, 0 by default. A stream continues to count when its key changes. */
  readonly firstRoc?: number;
}

/** Protects the packets of one SSRC under one master key. */
export class SrtpSender {
  readonly #keys: SessionKeys;
  readonly #options: SrtpSenderOptions;
  readonly #octets = new PacketOctets();
  readonly #nonce = new Uint8Array(GCM_NONCE_BYTES);
  #highest: number | undefined;

  private constructor(keys: SessionKeys, options: SrtpSenderOptions) {
    this.#keys = keys;
    this.#options = options;
  }

  /** Copies what it needs of `master`. */
  static create(master: SrtpMaster, options: SrtpSenderOptions): MaybePromise<SrtpSender> {
    return andThen(sessionKeys(master, SRTP_LABELS), (keys) => new SrtpSender(keys, options));
  }

  get ssrc(): number {
    return this.#options.ssrc;
  }

  /** Roll-over counter of the last packet. */
  get roc(): number {
    return this.#highest === undefined
      ? (this.#options.firstRoc ?? 0)
      : Math.floor(this.#highest / SEQUENCE_NUMBERS);
  }

  /** ROC and sequence number in one, of the last packet; undefined before the first. */
  get lastIndex(): number | undefined {
    return this.#highest;
  }

  /**
   * The packet to send, whose ArrayBuffer may hold others of the stream too. Sequence numbers go up: one that comes again
   * would use a nonce again.
   *
   * @throws MikeySakkeError usage: `BAD_RTP`, `OTHER_SSRC`, `SRTP_INDEX_USED`, `SRTP_KEY_EXHAUSTED` after 2^48 packets
   */
  protect(packet: Uint8Array): MaybePromise<Uint8Array> {
    const header = readRtpHeader(packet);
    if (header === undefined) throw usage("BAD_RTP", "not an RTP packet");
    const { ssrc, mki, roc } = this.#options;
    if (header.ssrc !== ssrc) throw usage("OTHER_SSRC", `SSRC ${header.ssrc}, this sender has ${ssrc}`);
    const index = this.#nextIndex(header);
    const { cipher, salt } = this.#keys;
    const carriesRoc = roc !== undefined && header.sequenceNumber % roc.rate === 0;
    const end = packet.length + GCM_TAG_BYTES;
    const out = this.#octets.take(end + mki.length + (carriesRoc ? ROC_BYTES : 0));
    const aad = packet.subarray(0, header.length);
    out.set(aad);
    out.set(mki, end);
    if (carriesRoc) writeUint32(out, end + mki.length, Math.floor(index / SEQUENCE_NUMBERS));
    const nonce = srtpNonce(salt, ssrc, index, this.#nonce);
    return cipher.seal(nonce, aad, packet.subarray(header.length), out, header.length);
  }

  #nextIndex({ sequenceNumber }: RtpHeader): number {
    const first = (this.#options.firstRoc ?? 0) * SEQUENCE_NUMBERS + sequenceNumber;
    const index = this.#highest === undefined ? first : guessIndex(this.#highest, sequenceNumber);
    if (this.#highest !== undefined && index <= this.#highest) {
      const text = `sequence number ${sequenceNumber} does not come after the last one`;
      throw usage("SRTP_INDEX_USED", text);
    }
    if (index > MAX_SRTP_INDEX)
      throw usage("SRTP_KEY_EXHAUSTED", "2^48 packets under one key are all there may be");
    this.#highest = index;
    return index;
  }
}

export interface SrtpReceiverOptions extends StreamsOptions {
  /** Octets: 8 for a group (GMK-ID, GUK-ID), 4 for a private call (PCK-ID). */
  readonly mkiBytes: number;
  readonly roc: RocTransport | undefined;
}

export interface UnprotectedRtp {
  readonly ok: true;
  /** The RTP packet in clear. Its ArrayBuffer may hold other packets too. */
  readonly packet: Uint8Array;
  readonly header: RtpHeader;
  readonly mki: Uint8Array;
  /** ROC and sequence number in one. */
  readonly index: number;
}

/** Receives any number of SSRCs under any number of master keys, each found by the MKI alone. */
export class SrtpReceiver {
  readonly #options: SrtpReceiverOptions;
  readonly #streams: Streams;
  readonly #octets = new PacketOctets();
  readonly #nonce = new Uint8Array(GCM_NONCE_BYTES);

  constructor(options: SrtpReceiverOptions) {
    this.#options = options;
    this.#streams = new Streams(options, SRTP_LABELS);
  }

  /** Streams that are kept. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Never throws for what is in a packet; a packet that is refused changes nothing. */
  unprotect(packet: Uint8Array): MaybePromise<UnprotectedRtp | MediaRefusal> {
    const parts = cut(packet, this.#options);
    if (parts === undefined) return refused("malformed");
    return andThen(this.#streams.find(parts.mki, parts.header.ssrc), (stream) =>
      stream === undefined ? refused("unknown-key") : this.#open(packet, parts, stream),
    );
  }

  /** See `Streams.prune`. */
  prune(keep: (mki: Uint8Array) => boolean): void {
    this.#streams.prune(keep);
  }

  #open(packet: Uint8Array, parts: Parts, stream: Stream): MaybePromise<UnprotectedRtp | MediaRefusal> {
    const [first, second] = indexesToTry(parts, stream);
    return andThen(this.#try(packet, parts, stream, first), (result) => {
      if (result.ok || second === undefined) return result;
      return andThen(this.#try(packet, parts, stream, second), (again) => (again.ok ? again : result));
    });
  }

  #try(
    packet: Uint8Array,
    { header, mki, end }: Parts,
    stream: Stream,
    index: number,
  ): MaybePromise<UnprotectedRtp | MediaRefusal> {
    if (!stream.window.isNew(index)) return refused("replayed");
    const { cipher, salt } = stream.keys;
    const aad = packet.subarray(0, header.length);
    const nonce = srtpNonce(salt, header.ssrc, index, this.#nonce);
    return andThen(cipher.open(nonce, aad, packet, header.length, end), (payload) => {
      if (payload === undefined) return refused("not-authentic");
      const fault = this.#streams.admit(mki, header.ssrc, stream, index);
      if (fault !== undefined) return refused(fault);
      const clear = this.#octets.take(header.length + payload.length);
      clear.set(aad);
      clear.set(payload, header.length);
      return { ok: true, packet: clear, header, mki: mki.slice(), index };
    });
  }
}

interface Parts {
  readonly header: RtpHeader;
  /** Behind the tag. */
  readonly end: number;
  readonly mki: Uint8Array;
  readonly roc: number | undefined;
}

function cut(packet: Uint8Array, { mkiBytes, roc }: SrtpReceiverOptions): Parts | undefined {
  const header = readRtpHeader(packet);
  if (header === undefined) return undefined;
  const carriesRoc = roc !== undefined && header.sequenceNumber % roc.rate === 0;
  const mkiEnd = packet.length - (carriesRoc ? ROC_BYTES : 0);
  const end = mkiEnd - mkiBytes;
  if (end < header.length + GCM_TAG_BYTES) return undefined;
  return {
    header,
    end,
    mki: packet.subarray(end, mkiEnd),
    roc: carriesRoc ? readUint32(packet, mkiEnd) : undefined,
  };
}

/**
 * The index of an SSRC goes on when its key changes (RFC 3711 3.3.1), as long as nobody else has the same SSRC under
 * another key: so without a ROC in the packet both are tried, what follows and the beginning. A receiver that joins
 * late takes the ROC that the packet carries; one that is in step goes by the sequence number (RFC 4771 3), and only
 * when that fails, as after a long gap, by the carried one. Either counts only when the tag fits.
 */
function indexesToTry({ header, roc }: Parts, { window, before }: Stream): [first: number, second?: number] {
  const carried = roc === undefined ? undefined : roc * SEQUENCE_NUMBERS + header.sequenceNumber;
  if (window.highest < 0) {
    const first = header.sequenceNumber;
    const following = before === undefined ? first : guessIndex(before, first);
    return carried !== undefined || following <= first ? [carried ?? first] : [following, first];
  }
  const guess = guessIndex(window.highest, header.sequenceNumber);
  return carried === undefined || carried === guess ? [guess] : [guess, carried];
}

function usage(code: ErrorCode, text: string): MikeySakkeError {
  return new MikeySakkeError("usage", code, text);
}
