/** `npm run screenshots`: the pictures of the push-to-talk page and of the console in docs/, made anew. */
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { OPERATOR } from "../../../cli/gms/with-admin.ts";
import { ALICE, BOB, floorText, joined, openPages, talkButton } from "./support/pages.ts";

const OUT = fileURLToPath(new URL("../../../docs/images", import.meta.url));
const WAYS = {
  light: { colorScheme: "light", viewport: { width: 1000, height: 720 } },
  dark: { colorScheme: "dark", viewport: { width: 1000, height: 720 } },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 } },
} as const;

async function shot(page: Page, name: string, way: (typeof WAYS)[keyof typeof WAYS]): Promise<void> {
  await page.emulateMedia({ colorScheme: way.colorScheme });
  await page.setViewportSize(way.viewport);
  await page.screenshot({ path: `${OUT}/${name}.png`, fullPage: true });
  console.log(`docs/images/${name}.png`);
}

/** Groups beside that of the talk. */
const OTHERS = [
  ["sip:ambulance@example.org", "Ambulance"],
  ["sip:harbour@example.org", "Harbour"],
] as const;

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
  for (const [name, way] of Object.entries(WAYS)) {
    await talkButton(bob).hover();
    await bob.mouse.down();
    await floorText(first).getByText("bob talks.").waitFor();
    await shot(first, `web-${name}`, way);
    await bob.mouse.up();
    await floorText(first).getByText("Nobody talks.").waitFor();
  }
  await pages.servers.operate(async (admin) => {
    for (const [uri, displayName] of OTHERS) {
      const members = [ALICE, BOB].map((member) => ({ uri: member }));
      await admin.createGroup(OPERATOR, { uri, members, settings: { displayName } });
    }
  });
  const operator = await (await pages.browser.newContext()).newPage();
  await operator.goto(await pages.servers.console());
  await operator.getByRole("link", { name: "Calls" }).click();
  await operator.getByRole("link", { name: "Harbour" }).waitFor();
  await bob.getByRole("button", { name: /^fire/ }).click();
  const emergency = bob.getByRole("button", { name: "Emergency: hold to talk" });
  const tile = operator.locator(".card.grave");
  for (const [name, way] of Object.entries(WAYS)) {
    await emergency.focus();
    await bob.keyboard.down("Enter");
    await tile.waitFor();
    await shot(operator, `console-${name}`, way);
    await bob.keyboard.up("Enter");
    await tile.waitFor({ state: "detached" });
  }
} finally {
  await pages.close();
}
