/** Sign-in of the page at a real OpenID provider, from the redirect to the sign-out. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { axeViolations } from "../support/axe.ts";
import { describeInChromium } from "../support/chromium.ts";
import { showView } from "./support/console.ts";
import { type IdentityServer, LIFETIME, openIdentityServer } from "./support/identity-server.ts";
import { ALICE, BOB, joined, openPages, type Pages } from "./support/pages.ts";

const TOKEN = "POST /token";

describeInChromium("a page at an identity management server", () => {
  let identity: IdentityServer;
  let pages: Pages;
  let page: Page;
  /** Signs in to the operators' console. */
  let ofConsole: string;
  const faults: string[] = [];

  beforeAll(async () => {
    identity = await openIdentityServer((login) => `sip:${login}@example.org`);
    pages = await openPages({ signIn: identity.signIn });
    ofConsole = await pages.servers.console();
    await identity.register(`${pages.servers.site.origin}/`, `${new URL(ofConsole).origin}/`);
    page = await (await pages.browser.newContext()).newPage();
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  });
  afterAll(async () => {
    await pages?.close();
    await identity?.close();
  });

  const site = () => `${pages.servers.site.origin}/`;
  const count = (request: string) => identity.asked.filter((asked) => asked === request).length;
  const button = (name: string) => page.getByRole("button", { name, exact: true });

  /** The pages of the provider. */
  async function logInAs(name: string, at = page): Promise<void> {
    await at.locator("input[name=login]").fill(name);
    await at.locator("input[name=password]").fill("x");
    await at.getByRole("button").click();
    await at.getByRole("button", { name: "Continue" }).click();
  }

  it("shows no violation to axe", async () => {
    await page.goto(site());
    await button("Sign in").waitFor();
    expect(await axeViolations(page)).toEqual([]);
  });

  it("sends a person there, and signs them in as the user they are there", async () => {
    await page.goto(site());
    await button("Sign in").click();
    await page.locator("input[name=login]").waitFor();
    await logInAs("alice");
    await page.getByText(ALICE).waitFor();
    // The code is in no history.
    expect(page.url()).toBe(site());
    await button("Join").click();
    await joined(page);
    expect(count(TOKEN)).toBe(1);
  });

  it("renews its token before it ends", async () => {
    await expect.poll(() => count(TOKEN), { timeout: 2 * LIFETIME * 1000, interval: 200 }).toBe(2);
    await joined(page);
  });

  it("knows the person at the next visit, without the token in clear in the browser's storage", async () => {
    await page.reload();
    await page.getByText(ALICE).waitFor();
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    expect(JSON.parse(kept)).toEqual([{ user: ALICE }, {}]);
    await button("Join").click();
    await joined(page);
  });

  it("takes no answer to a sign-in that it did not begin", async () => {
    const other = await (await pages.browser.newContext()).newPage();
    await other.goto(`${site()}?code=abc&state=def`);
    await other.getByRole("button", { name: "Sign in" }).click();
    await other.locator("input[name=login]").waitFor();
    const before = count(TOKEN);
    await other.goto(`${site()}?code=abc&state=def&iss=${encodeURIComponent(identity.issuer)}`);
    await other.getByText("the answer is of another request").waitFor();
    await other.getByRole("button", { name: "Sign in" }).waitFor();
    expect(count(TOKEN)).toBe(before);
    await other.context().close();
  });

  it("returns the refresh token at sign-out, and knows nobody any more", async () => {
    await button("Sign out").click();
    await page.getByRole("button", { name: "Yes, sign me out" }).click();
    await button("Sign in").waitFor();
    expect(page.url()).toBe(site());
    expect(count("POST /token/revocation")).toBe(1);
    await page.reload();
    await button("Sign in").waitFor();
  });

  it("says that the provider ended the session", async () => {
    await button("Sign in").click();
    await logInAs("alice");
    await button("Join").click();
    await joined(page);
    await identity.revoke();
    await page.getByText("Your session has ended.").waitFor({ timeout: 2 * LIFETIME * 1000 });
    await button("Sign in again").waitFor();
  });

  it("signs a dispatcher of the console in, and sends them back to the calls", async () => {
    const console = await (await pages.browser.newContext()).newPage();
    console.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    await console.goto(ofConsole);
    await showView(console, "Calls");
    await console.getByText("Take part in calls").click();
    await console.getByRole("button", { name: "Sign in", exact: true }).click();
    await console.locator("input[name=login]").waitFor();
    await logInAs("bob", console);
    await console.getByRole("heading", { level: 1, name: "Calls" }).waitFor();
    await console.getByText("Take part in calls").click();
    await console.getByRole("button", { name: "Join" }).click();
    await console.getByText(`You take part as ${BOB}, connected.`).waitFor();
    expect(console.url()).not.toContain("code");
    await console.context().close();
  });

  it("broke no rule of the policy", () => {
    expect(faults.filter((fault) => fault.includes("Content Security Policy"))).toEqual([]);
  });
});
