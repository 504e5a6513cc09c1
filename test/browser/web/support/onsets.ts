/**
 * The times at which tones begin at the microphone and at the loudspeaker of a page, by its audio clock. A worklet of the test listens beside
 * those of the page; times are those of this machine, so that two pages can be compared.
 */
import type { Page } from "playwright-core";

/** Milliseconds since the Unix epoch. */
export interface Onsets {
  readonly mouth: readonly number[];
  readonly ear: readonly number[];
}

/** Runs in the page before anything of it. */
function listenForOnsets(worklet: string): void {
  const connect = AudioNode.prototype.connect as (this: AudioNode, to: AudioNode) => AudioNode;
  const seen = { mouth: [] as number[], ear: [] as number[] };
  Object.assign(globalThis, { onsets: seen });
  const listen = async (from: AudioNode, where: "mouth" | "ear", shift: () => number) => {
    const context = from.context as AudioContext;
    const source = URL.createObjectURL(new Blob([worklet], { type: "text/javascript" }));
    await context.audioWorklet.addModule(source);
    const node = new AudioWorkletNode(context, "onsets", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    node.port.onmessage = ({ data }) => void seen[where].push(data + 1000 * shift());
    connect.call(from, node);
  };
  AudioNode.prototype.connect = function (this: AudioNode, to: AudioNode) {
    if (this instanceof MediaStreamAudioSourceNode) {
      const [track] = this.mediaStream.getAudioTracks();
      const { latency = 0 } = track!.getSettings() as { latency?: number };
      void listen(this, "mouth", () => -latency);
    } else if (this instanceof AnalyserNode) {
      const { baseLatency, outputLatency } = this.context as AudioContext;
      void listen(this, "ear", () => baseLatency + outputLatency);
    }
    return connect.call(this, to);
  } as typeof AudioNode.prototype.connect;
}

/** Quanta are computed in bursts: the earliest of a second is on time. */
const WORKLET = `
const LEVEL = 0.01;
const QUIET = 0.1 * sampleRate;
class Onsets extends AudioWorkletProcessor {
  quiet = 0;
  since = 0;
  offset = Infinity;
  before = Infinity;
  process([[samples] = []]) {
    if (currentTime - this.since > 1) {
      this.since = currentTime;
      this.before = this.offset;
      this.offset = Infinity;
    }
    this.offset = Math.min(this.offset, Date.now() - 1000 * currentTime);
    for (let i = 0; i < (samples?.length ?? 0); i++) {
      if (Math.abs(samples[i]) < LEVEL) {
        this.quiet++;
        continue;
      }
      const at = 1000 * (currentTime + i / sampleRate) + Math.min(this.offset, this.before);
      if (this.quiet >= QUIET) this.port.postMessage(at);
      this.quiet = 0;
    }
    return true;
  }
}
registerProcessor("onsets", Onsets);
`;

/** Is called before the page is opened, and lets its policy permit the worklet of the test, too. */
export async function observeOnsets(page: Page): Promise<void> {
  await page.addInitScript(listenForOnsets, WORKLET);
  await page.route(
    ({ pathname }) => pathname === "/",
    async (route) => {
      const response = await route.fetch();
      const headers = response.headers();
      const policy = headers["content-security-policy"]!.replace("script-src", "script-src blob:");
      await route.fulfill({ response, headers: { ...headers, "content-security-policy": policy } });
    },
  );
}

export function onsetsOf(page: Page): Promise<Onsets> {
  return page.evaluate(() => (globalThis as unknown as { onsets: Onsets }).onsets);
}

/** Each onset that was said, with the time to the first one that was heard before the next was said. */
export function delays(said: readonly number[], heard: readonly number[]): { at: number; delay: number }[] {
  return said.flatMap((at, n) => {
    const ear = heard.find((one) => one > at && one < (said[n + 1] ?? Number.POSITIVE_INFINITY));
    return ear === undefined ? [] : [{ at, delay: ear - at }];
  });
}
