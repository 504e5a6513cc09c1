/**
 * From mouth to ear: tones begin at the microphone of one page and at the loudspeaker of another one, by their audio clocks,
 * with and without a network that stalls. Times depend on the machine: they are told, and held to their limits by
 * `npm run test:web`.
 */
import { loadavg } from "node:os";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeInChromium } from "../support/chromium.ts";
import { delays, observeOnsets, onsetsOf } from "./support/onsets.ts";
import { ALICE, BOB, floorText, joined, openPages, type Pages, RATE, TONE, toneOf } from "./support/pages.ts";
import { openStallingProxy, type StallingProxy } from "./support/stalls.ts";

/** Milliseconds. */
const MOST_MEDIAN = 150;
const MOST_STALLED_P95 = 300;
/** The longest time after a stall until the delay is what it was before. */
const RECOVERY = 2000;
/** Longer than what the buffers hold. */
const STALL = 700;
/** More than the delay after a stall may be above what it was: the target of the jitter buffer may have grown by a frame. */
const SLACK = 30;

const isLong = process.env.MIKEY_SAKKE_LONG !== undefined;
/** Talks of 20 tones each, of which the server permits 30 s. */
const TALKS = isLong ? 3 : 1;
const TONES = isLong ? 20 : 5;

describeInChromium("speech from page to page", () => {
  let pages: Pages;
  let proxy: StallingProxy;
  let alice: Page;
  let bob: Page;

  beforeAll(async () => {
    // Begins once a second: 0.4 s of tone.
    const said = toneOf(TONE).fill(0, 0.4 * RATE);
    pages = await openPages({
      said,
      detour: async (port) => {
        proxy = await openStallingProxy(port);
        return proxy;
      },
    });
    [alice, bob] = await Promise.all([open(ALICE), open(BOB)]);
  });
  afterAll(() => pages?.close());

  async function open(user: string): Promise<Page> {
    const page = await (await pages.browser.newContext()).newPage();
    await observeOnsets(page);
    await page.goto(`${pages.servers.site.origin}/?user=${encodeURIComponent(user)}`);
    await page.getByRole("button", { name: "Join" }).click();
    await joined(page);
    return page;
  }

  /** Alice talks until `tones` more have begun at Bob; `meanwhile` is told how many have so far. */
  async function talk(tones: number, meanwhile: (heard: number) => void = () => undefined) {
    const before = (await onsetsOf(bob)).ear.length;
    const begun = Date.now();
    await alice.keyboard.down("Space");
    await floorText(bob).getByText("alice talks.").waitFor();
    const heard = async () => {
      const count = (await onsetsOf(bob)).ear.length - before;
      meanwhile(count);
      return count;
    };
    await expect.poll(heard, { timeout: 60_000, interval: 100 }).toBeGreaterThanOrEqual(tones);
    await alice.keyboard.up("Space");
    await floorText(bob).getByText("Nobody talks.").waitFor();
    const [{ mouth }, { ear }] = [await onsetsOf(alice), await onsetsOf(bob)];
    // One that had begun before the talk is heard from its middle on.
    return delays(mouth, ear.slice(before)).filter(({ at }) => at > begun + 500);
  }

  const at = (share: number, values: readonly number[]) =>
    [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))]!;

  function report(name: string, values: readonly number[]): void {
    const shown = [0.5, 0.95, 1].map((share) => `${at(share, values).toFixed(0)} ms`).join(" / ");
    const load = loadavg()[0]!.toFixed(1);
    process.stdout.write(`${name}: ${shown} median / p95 / most of ${values.length}, load ${load}\n`);
  }

  async function measured(): Promise<number[]> {
    const found: number[] = [];
    for (let n = 0; n < TALKS; n++) found.push(...(await talk(TONES)).map(({ delay }) => delay));
    return found;
  }

  it("comes in time over an even network", { timeout: 200_000 }, async () => {
    const found = await measured();
    report("mouth to ear", found);
    expect(found.length).toBeGreaterThan(0);
    if (isLong) expect(at(0.5, found)).toBeLessThan(MOST_MEDIAN);
  });

  it("comes in time where 5 % of the chunks stall for 100 to 200 ms", { timeout: 200_000 }, async () => {
    proxy.isStalling = true;
    const found = await measured();
    proxy.isStalling = false;
    report(`mouth to ear, ${proxy.held} chunks held`, found);
    expect(proxy.held).toBeGreaterThan(0);
    expect(found.length).toBeGreaterThan(0);
    if (isLong) expect(at(0.95, found)).toBeLessThan(MOST_STALLED_P95);
  });

  it("is as soon as before, two seconds after a stall", { timeout: 200_000 }, async () => {
    let stalled: number | undefined;
    const found = await talk(12, (heard) => {
      if (heard < 5 || stalled !== undefined) return;
      stalled = Date.now();
      proxy.stall(STALL);
    });
    const over = stalled! + STALL;
    const before = found.filter((one) => one.at < stalled! - 500).map(({ delay }) => delay);
    const after = found.filter((one) => one.at > over + RECOVERY).map(({ delay }) => delay);
    expect(before.length).toBeGreaterThan(0);
    report("before a stall", before);
    report("two seconds after", after);
    expect(after.length).toBeGreaterThan(0);
    if (isLong) expect(at(0.5, after)).toBeLessThan(at(0.5, before) + SLACK);
  });
});
