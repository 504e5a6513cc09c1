/**
 * From the first visit to the first word heard, what blocks the main thread, and how much is loaded. Times depend on the
 * machine: they are told, and held to their limits by `npm run test:web`.
 */
import { loadavg } from "node:os";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeInChromium } from "../support/chromium.ts";
import { ALICE, BOB, CAROL, figuresOf, floorText, joined, openPages, type Pages } from "./support/pages.ts";

/** kB of what each page and its workers load, compressed, with the larger build of the core. */
const BUDGET = { page: 15, workers: 160, dispatcher: 170 };
/** From the request of the page to the first word heard; the time of whoever signs in does not count. */
const MOST_SECONDS = 3;

const isLong = process.env.MIKEY_SAKKE_LONG !== undefined;
const report = (line: string) => process.stdout.write(`${line}\n`);
const seconds = (ms: number) => `${(ms / 1000).toFixed(2).padStart(6)} s`;

/** A task of more than 50 ms on the main thread. */
interface LongTask {
  readonly startTime: number;
  readonly duration: number;
}

describeInChromium("the measured talk page", () => {
  let pages: Pages;
  beforeAll(async () => {
    pages = await openPages({
      init: () => {
        const tasks: LongTask[] = [];
        new PerformanceObserver((list) => {
          for (const { startTime, duration } of list.getEntries()) tasks.push({ startTime, duration });
        }).observe({ type: "longtask", buffered: true });
        Object.assign(globalThis, { longTasks: tasks });
      },
    });
  });
  afterAll(() => pages?.close());

  const longTasks = (page: Page) =>
    page.evaluate(() => (globalThis as unknown as { longTasks: LongTask[] }).longTasks);

  it("hears the first word soon after the first visit, and its main thread is free while keys arrive", async () => {
    const [{ page: bob }, { page: carol }] = await Promise.all([pages.member(BOB), pages.member(CAROL)]);
    await Promise.all([joined(bob), joined(carol)]);
    await bob.keyboard.down("Space");
    await floorText(carol).getByText("bob talks.").waitFor();
    const { page: alice } = await pages.member(ALICE);
    const heard = async () => {
      // The server ends a talk after a while.
      if ((await floorText(bob).innerText()) === "Nobody talks.") {
        await bob.keyboard.up("Space");
        await bob.keyboard.down("Space");
      }
      return (await figuresOf(alice)).steps.heard;
    };
    await expect.poll(heard, { timeout: 60_000 }).toBeDefined();
    await bob.keyboard.up("Space");
    const { steps } = await figuresOf(alice);
    const loaded = await alice.evaluate(
      () => (performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming).domComplete,
    );
    const begun = steps["signed-in"]!;
    report(`load average ${loadavg()[0]!.toFixed(1)}`);
    report(`${"page loaded".padEnd(12)} ${seconds(loaded)}`);
    for (const [step, at] of Object.entries(steps).sort(([, a], [, b]) => a - b)) {
      report(`${step.padEnd(12)} ${seconds(loaded + at - begun)}`);
    }
    const tasks = await longTasks(alice);
    const later = tasks.filter(({ startTime }) => startTime >= begun);
    const list = (some: LongTask[]) => some.map(({ duration }) => `${duration.toFixed(0)} ms`).join(", ");
    report(
      `tasks of more than 50 ms: ${list(tasks) || "none"}; of them after the sign-in: ${list(later) || "none"}`,
    );
    if (!isLong) return;
    expect(loaded + steps.heard! - begun).toBeLessThan(1000 * MOST_SECONDS);
    expect(later).toEqual([]);
  });

  it("keeps to its sizes", () => {
    for (const [name, kB] of Object.entries(pages.sizes))
      report(`${name.padEnd(12)} ${kB.toFixed(1)} kB gzip`);
    for (const [name, most] of Object.entries(BUDGET))
      expect(pages.sizes[name as keyof typeof BUDGET], name).toBeLessThan(most);
  });
});
