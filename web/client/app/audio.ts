/** The audio graph: microphone to worklet to the media worker, and back to the loudspeaker. Opened once, by a gesture. */
import { AUDIO_RATE } from "../messages.ts";

export interface Audio {
  readonly context: AudioContext;
  /** For the media worker; undefined: the page only listens. */
  readonly capture: MessagePort | undefined;
  readonly play: MessagePort;
  readonly volume: GainNode;
  /** Analyses what is played. */
  readonly analyser: AnalyserNode;
  /** Why there is no microphone, where one was wanted. */
  readonly fault: string | undefined;
}

let prepared: { readonly context: AudioContext; readonly hasWorklets: Promise<void> } | undefined;

/**
 * The context, suspended until a gesture: to open it blocks the main thread while the browser asks for the device, up to 65 ms
 * in Chromium, which nobody notices before they join.
 */
export function prepareAudio() {
  if (prepared !== undefined) return prepared;
  const context = new AudioContext({ sampleRate: AUDIO_RATE, latencyHint: "interactive" });
  const hasWorklets = context.audioWorklet.addModule("voice.js");
  // A failure before the user joins is tried again then; one after it is shown.
  hasWorklets.catch(() => {
    prepared = undefined;
    void context.close();
  });
  prepared = { context, hasWorklets };
  return prepared;
}

export async function openAudio(withMicrophone: boolean): Promise<Audio> {
  const { context, hasWorklets } = prepareAudio();
  const [microphone] = await Promise.all([
    withMicrophone ? openMicrophone() : undefined,
    hasWorklets,
    context.resume(),
  ]);
  const player = new AudioWorkletNode(context, "play", { numberOfInputs: 0, outputChannelCount: [1] });
  const volume = new GainNode(context);
  const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
  player.connect(analyser).connect(volume).connect(context.destination);
  let capture: MessagePort | undefined;
  if (microphone instanceof MediaStream) {
    const node = new AudioWorkletNode(context, "capture", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    new MediaStreamAudioSourceNode(context, { mediaStream: microphone }).connect(node);
    capture = portOf(node);
  }
  const fault = typeof microphone === "string" ? microphone : undefined;
  return { context, capture, play: portOf(player), volume, analyser, fault };
}

/** The microphone, or why there is none. */
async function openMicrophone(): Promise<MediaStream | string> {
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
  } catch (error) {
    return error instanceof DOMException ? error.name : String(error);
  }
}

function portOf(node: AudioWorkletNode): MessagePort {
  const { port1, port2 } = new MessageChannel();
  node.port.postMessage(port1, [port1]);
  return port2;
}
