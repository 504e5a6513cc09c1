/** Debian's Chromium, without a window and without talking to anybody but the test's own server. */
import { type Browser, chromium } from "playwright-core";
import { describeWith } from "../../support/foreign.ts";

const PATH = "/usr/bin/chromium";
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function describeInChromium(name: string, tests: () => void): void {
  describeWith("chromium", PATH, name, tests);
}

/** `microphone`: a WAV file of 48 kHz that is said again and again. */
export function launchChromium({ microphone }: { readonly microphone?: string } = {}): Promise<Browser> {
  const fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
  const said = microphone === undefined ? [] : [...fake, `--use-file-for-fake-audio-capture=${microphone}`];
  return chromium.launch({ executablePath: PATH, headless: true, args: [...QUIET, ...said] });
}
