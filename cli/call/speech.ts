/** The formats of speech that the command line talks and hears. */
import type { SpeechCodec } from "../../roles/call/speech-codec.ts";

export const SPEECH = ["g711", "opus"] as const;
export type Speech = (typeof SPEECH)[number];

/** All of them, the preferred one first. */
export async function speechCodecs(preferred: Speech): Promise<SpeechCodec[]> {
  const { G711_CODECS } = await import("../../roles/call/speech-codec.ts");
  const { opusCodec } = await import("./opus.ts");
  const opus = await opusCodec();
  return preferred === "opus" ? [opus, ...G711_CODECS] : [...G711_CODECS, opus];
}
