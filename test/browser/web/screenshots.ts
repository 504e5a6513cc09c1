/** `npm run screenshots`: the pictures of the page in docs/, made anew. */
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ALICE, BOB, floorText, joined, openPages, talkButton } from "./support/pages.ts";

const OUT = fileURLToPath(new URL("../../../docs/images", import.meta.url));
const WAYS = {
  light: { colorScheme: "light", viewport: { width: 1000, height: 720 } },
  dark: { colorScheme: "dark", viewport: { width: 1000, height: 720 } },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 } },
} as const;

await mkdir(OUT, { recursive: true });
const pages = await openPages();
try {
  const { page: bob } = await pages.member(BOB);
  await joined(bob);
  const { page: first } = await pages.member(ALICE);
  await joined(first);
  for (const [page, text] of [
    [bob, "At the north gate, two of us"],
    [first, "Copied, come to the yard"],
  ] as const) {
    await page.getByLabel("Message", { exact: true }).fill(text);
    await page.getByRole("button", { name: "Send" }).click();
  }
  await first.getByText("At the north gate").waitFor();
  for (const [name, options] of Object.entries(WAYS)) {
    await first.emulateMedia({ colorScheme: options.colorScheme });
    await first.setViewportSize(options.viewport);
    await talkButton(bob).hover();
    await bob.mouse.down();
    await floorText(first).getByText("bob talks.").waitFor();
    await first.screenshot({ path: `${OUT}/web-${name}.png`, fullPage: true });
    await bob.mouse.up();
    await floorText(first).getByText("Nobody talks.").waitFor();
    console.log(`docs/images/web-${name}.png`);
  }
} finally {
  await pages.close();
}
