/** The operators' console as tests use it. */
import type { Page } from "playwright-core";

/** Opens a view by its link, and waits until it is there: the view before may have controls of the same names. */
export async function showView(page: Page, name: string): Promise<void> {
  const views = page.getByRole("navigation", { name: "Views" });
  await views.getByRole("link", { name, exact: true }).click();
  await page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
}
