/** Opus by a WebAssembly build of libopus (RFC 6716, RFC 7587). */
import { G711_FRAME, G711_RATE } from "../../bindings/media/index.ts";
import { OPUS } from "../../documents/sdp/call.ts";
import type { SpeechCodec } from "../../roles/call/speech-codec.ts";

/** RFC 7587 4.1: timestamps count at 48,000 Hz, whatever is coded. */
const TIMESTAMP_STEP = 960;
const BITS_PER_SECOND = 20_000;

/** Frames are coded at 8,000 Hz. Packets of any bandwidth, mono or stereo, are decoded to that. */
export async function opusCodec() {
  const { Decoder, Encoder } = await import("@evan/opus/wasm/index.mjs");
  const mono = { channels: 1, sample_rate: G711_RATE } as const;
  return {
    format: OPUS,
    samples: G711_FRAME,
    timestampStep: TIMESTAMP_STEP,
    encoder() {
      const encoder = new Encoder({ ...mono, application: "voip" });
      encoder.bitrate = BITS_PER_SECOND;
      return (frame) => encoder.encode(frame);
    },
    decoder() {
      const decoder = new Decoder(mono);
      return (payload) => {
        // An empty payload would stand for a lost packet.
        if (payload.length === 0) return undefined;
        let octets: Uint8Array;
        try {
          octets = decoder.decode(payload);
        } catch {
          return undefined;
        }
        const samples = new Int16Array(octets.slice().buffer);
        return samples.length === G711_FRAME ? samples : undefined;
      };
    },
  } satisfies SpeechCodec;
}
