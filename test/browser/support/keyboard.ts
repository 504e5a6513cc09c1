/** A page that is operated by keyboard alone. */
import type { Page } from "playwright-core";

const MOST_STEPS = 80;

/** Returns the name of the element that has the focus: its label or its text. */
export async function focusedName(page: Page): Promise<string> {
  const name = await page.evaluate(() => {
    const element = document.activeElement;
    const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : undefined;
    return element?.getAttribute("aria-label") ?? label ?? element?.textContent ?? "";
  });
  return name.trim();
}

/** Presses `key` until the element with that name has the focus. Rejects with the names on the way when there is none. */
export async function tabTo(page: Page, name: string, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  const seen: string[] = [];
  for (let n = 0; n < MOST_STEPS; n++) {
    await page.keyboard.press(key);
    const at = await focusedName(page);
    if (at === name) return;
    seen.push(at);
  }
  throw new Error(`no way to "${name}" by ${key}: ${[...new Set(seen)].join(", ")}`);
}
