/** Microphone and loudspeaker at the pace of the audio clock: frames of 20 ms go to the media worker and come from it. */
import { AUDIO_FRAME, type ToCapture } from "../messages.ts";

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

class Capture extends AudioWorkletProcessor {
  readonly #frame = new Float32Array(AUDIO_FRAME);
  #filled = 0;
  #worker: MessagePort | undefined;
  #isOn = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<MessagePort>) => {
      this.#worker = data;
      data.onmessage = ({ data: { isOn } }: MessageEvent<ToCapture>) => {
        this.#isOn = isOn;
        this.#filled = 0;
      };
    };
  }

  process([input]: readonly Float32Array[][]): boolean {
    const samples = input?.[0];
    // What is said before one may talk stays here.
    if (!this.#isOn || samples === undefined) return true;
    for (const sample of samples) {
      this.#frame[this.#filled++] = sample;
      if (this.#filled < AUDIO_FRAME) continue;
      this.#worker?.postMessage(this.#frame);
      this.#filled = 0;
    }
    return true;
  }
}

/** Frames that are asked for before they are due. */
const AHEAD = 1;

class Play extends AudioWorkletProcessor {
  readonly #frames: (Float32Array | null)[] = [];
  #at = 0;
  #asked = 0;
  #worker: MessagePort | undefined;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<MessagePort>) => {
      this.#worker = data;
      data.onmessage = ({ data: frame }: MessageEvent<Float32Array | null>) => {
        this.#asked--;
        this.#frames.push(frame);
      };
    };
  }

  process(_inputs: unknown, [output]: readonly Float32Array[][]): boolean {
    const samples = output?.[0];
    if (samples === undefined || this.#worker === undefined) return true;
    for (let i = 0; i < samples.length; i++) {
      const frame = this.#frames[0];
      samples[i] = frame?.[this.#at] ?? 0;
      if (frame === undefined) continue;
      if (++this.#at < AUDIO_FRAME) continue;
      this.#at = 0;
      this.#frames.shift();
    }
    if (this.#frames.length + this.#asked <= AHEAD) {
      this.#asked++;
      this.#worker.postMessage("pull");
    }
    return true;
  }
}

registerProcessor("capture", Capture);
registerProcessor("play", Play);
