/** `npm run test:web`: from the first visit to the first word, what blocks the main thread, and how much is loaded. */
import { loadavg } from "node:os";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeInChromium } from "../support/chromium.ts";
import { ALICE, BOB, figuresOf, joined, openPages, type Pages } from "./support/pages.ts";

/** kB of what a page loads at its first visit, compressed, with the larger build of the core. */
const BUDGET = { page: 15, workers: 160 };

const isLong = process.env.MIKEY_SAKKE_LONG !== undefined;
const report = (line: string) => process.stdout.write(`${line}\n`);

describeInChromium("the measured talk page", () => {
  let pages: Pages;
  beforeAll(async () => {
    pages = await openPages({
      init: () => {
        const tasks: number[] = [];
        new PerformanceObserver((list) => {
          for (const { duration } of list.getEntries()) tasks.push(duration);
        }).observe({ type: "longtask", buffered: true });
        Object.assign(globalThis, { longTasks: tasks });
      },
    });
  });
  afterAll(() => pages?.close());

  const longTasks = (page: Page) =>
    page.evaluate(() => (globalThis as unknown as { longTasks: number[] }).longTasks);

  it.skipIf(!isLong)("keeps to its times", async () => {
    const { page: bob } = await pages.member(BOB);
    await joined(bob);
    const { page: alice } = await pages.member(ALICE);
    await joined(alice);
    await alice.keyboard.down("Space");
    await expect.poll(async () => (await figuresOf(bob)).steps.heard, { timeout: 60_000 }).toBeDefined();
    await alice.keyboard.up("Space");
    const { steps } = await figuresOf(alice);
    const begun = steps["signed-in"]!;
    report(`load average ${loadavg()[0]!.toFixed(1)}`);
    for (const [step, at] of Object.entries(steps).sort(([, a], [, b]) => a - b)) {
      report(`${step.padEnd(12)} ${((at - begun) / 1000).toFixed(2).padStart(6)} s`);
    }
    const tasks = await longTasks(alice);
    report(`long tasks of the main thread: ${tasks.map((ms) => `${ms.toFixed(0)} ms`).join(", ") || "none"}`);
  });

  it("keeps to its sizes", () => {
    for (const [name, kB] of Object.entries(pages.sizes))
      report(`${name.padEnd(12)} ${kB.toFixed(1)} kB gzip`);
    expect(pages.sizes.page).toBeLessThan(BUDGET.page);
    expect(pages.sizes.workers).toBeLessThan(BUDGET.workers);
  });
});
