/** Debian's Chromium, without a window and without talking to anybody but the test's own server. */
import { type Browser, chromium } from "playwright-core";
import { describeWith } from "../../support/foreign.ts";

export const CHROMIUM = "/usr/bin/chromium";
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
  describeWith("chromium", CHROMIUM, name, tests);
}

export interface ChromiumOptions {
  /** A WAV file of 48 kHz that is said again and again. */
  readonly microphone?: string;
  /** Addresses that lead elsewhere: from `host:port` to `host:port`. */
  readonly detours?: Readonly<Record<string, string>>;
}

export function launchChromium({ microphone, detours = {} }: ChromiumOptions = {}): Promise<Browser> {
  const fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
  const said = microphone === undefined ? [] : [...fake, `--use-file-for-fake-audio-capture=${microphone}`];
  const rules = Object.entries(detours).map(([from, to]) => `MAP ${from} ${to}`);
  const mapped = rules.length === 0 ? [] : [`--host-resolver-rules=${rules.join(",")}`];
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: [...QUIET, ...said, ...mapped] });
}
