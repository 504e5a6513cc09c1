/** Opus as the page has it, where the browser does (WebCodecs). */
import { AUDIO_RATE } from "./messages.ts";

export const SOUND = { codec: "opus", sampleRate: AUDIO_RATE, numberOfChannels: 1 };
export const FRAME_US = 20_000;
/** The types of the platform do not have the application yet. */
const OPTIONS: OpusEncoderConfig & { application: "voip" } = { application: "voip", frameDuration: FRAME_US };
export const ENCODER: AudioEncoderConfig = { ...SOUND, bitrate: 24_000, opus: OPTIONS };

/** Whether the browser says that it has both sides of Opus. */
export async function hasOpus(): Promise<boolean> {
  try {
    const sides = [AudioEncoder.isConfigSupported(ENCODER), AudioDecoder.isConfigSupported(SOUND)];
    return (await Promise.all<{ supported?: boolean }>(sides)).every(({ supported }) => supported);
  } catch {
    // It has no WebCodecs.
    return false;
  }
}
