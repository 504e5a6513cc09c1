/** The violations that axe finds in a page. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

interface Axe {
  run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
}

const DESKTOP = { width: 1280, height: 720 };
const PHONE = { width: 390, height: 844 };
const WAYS = {
  light: { colorScheme: "light", viewport: DESKTOP },
  dark: { colorScheme: "dark", viewport: DESKTOP },
  phone: { colorScheme: "light", viewport: PHONE },
} as const;

/**
 * Returns each violation by name, with the first element that has it. The source of axe is evaluated, since the policy of
 * the pages lets no script be added.
 */
export async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: Axe }).axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

/**
 * Returns the violations in light and dark colours and at the width of a phone, and says where the page is wider than its
 * window. The page is left light and wide.
 */
export async function violationsInAllWays(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const [name, { colorScheme, viewport }] of Object.entries(WAYS)) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(viewport);
    found.push(...(await axeViolations(page)).map((violation) => `${name}: ${violation}`));
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > viewport.width) found.push(`${name}: ${width} pixels wide`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(DESKTOP);
  return found;
}
