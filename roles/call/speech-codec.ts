/** Turns speech into the payloads of RTP packets and back, in frames of 20 ms. */
import { MikeySakkeError } from "../../base/errors.ts";
import {
  decodeG711,
  encodeG711,
  G711_FRAME,
  G711_PAYLOAD_TYPES,
  type G711Law,
  type MaybePromise,
} from "../../bindings/media/index.ts";
import { G711, isSameFormat, type SpeechFormat } from "../../documents/sdp/call.ts";

/**
 * One format of speech, coded at once or later, as by the codecs of a browser. What is coded later comes in the order in which
 * it was given.
 */
export interface SpeechCodec {
  /** The RTP payload type and the name in session descriptions. */
  readonly format: SpeechFormat;
  /**
   * Samples of a frame of 20 ms, which may have another rate than what the format carries: 160 at 8,000 Hz, 960 at 48,000 Hz. All
   * codecs of a call have the same.
   */
  readonly samples: number;
  /** How far the RTP timestamp advances in one frame: 160 for G.711, 960 for Opus (RFC 7587 4.1). */
  readonly timestampStep: number;
  /** Makes the encoder of one stream that is sent. */
  encoder(): (frame: Int16Array) => MaybePromise<Uint8Array>;
  /** Makes the decoder of one received stream. It gives undefined for a payload that is not one frame of this format. */
  decoder(): (payload: Uint8Array) => MaybePromise<Int16Array | undefined>;
}

/** A-law first. */
export const G711_CODECS: readonly SpeechCodec[] = [g711Codec("PCMA"), g711Codec("PCMU")];

export function g711Codec(law: G711Law): SpeechCodec {
  const format = G711.find(({ type }) => type === G711_PAYLOAD_TYPES[law])!;
  return {
    format,
    samples: G711_FRAME,
    timestampStep: G711_FRAME,
    encoder: () => (frame) => encodeG711(law, frame),
    decoder: () => (payload) => (payload.length === G711_FRAME ? decodeG711(law, payload) : undefined),
  };
}

/**
 * The codec for what an answer chose; the first one when `answered` is absent.
 *
 * @throws {MikeySakkeError} codec `BAD_SDP`: a format that was not offered
 */
export function codecFor(
  codecs: readonly SpeechCodec[],
  answered: readonly SpeechFormat[] | undefined,
): SpeechCodec {
  const [format] = answered ?? [codecs[0]!.format];
  const codec = codecs.find((one) => format !== undefined && isSameFormat(one.format, format));
  if (codec !== undefined) return codec;
  const text = `SDP: an answer with speech as ${format?.encoding ?? "nothing"}, which was not offered`;
  throw new MikeySakkeError("codec", "BAD_SDP", text);
}

/** The first format offered that there is a codec for; undefined: there is none. */
export function commonSpeech(
  codecs: readonly SpeechCodec[],
  offered: readonly SpeechFormat[] = G711,
): SpeechFormat | undefined {
  return offered.find((one) => codecs.some(({ format }) => isSameFormat(format, one)));
}
