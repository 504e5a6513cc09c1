/** A page by keyboard alone. */
import type { Page } from "playwright-core";

const MOST_STEPS = 60;

/** Tab, as one does who cannot point, until what has the focus is named so: by its label or its text. */
export async function tabTo(page: Page, name: string, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  const seen: string[] = [];
  for (let n = 0; n < MOST_STEPS; n++) {
    await page.keyboard.press(key);
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : undefined;
      return element?.getAttribute("aria-label") ?? label ?? element?.textContent ?? "";
    });
    if (at.trim() === name) return;
    seen.push(at.trim());
  }
  throw new Error(`no way to "${name}" by ${key}: ${[...new Set(seen)].join(", ")}`);
}
