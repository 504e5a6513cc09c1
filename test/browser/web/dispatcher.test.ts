/** A dispatcher in the console, in Chromium: hears two groups in two tiles, and talks to one of them or to both, by keyboard. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { G711_FRAME } from "../../../bindings/media/index.ts";
import { shareOf } from "../../../cli/call/tone.ts";
import { readWav } from "../../../cli/call/wav.ts";
import { OPERATOR } from "../../../cli/gms/with-admin.ts";
import type { figures } from "../../../web/console/app/dispatcher.ts";
import { GROUP } from "../../../web/play/servers.ts";
import { startCli } from "../../cli/run-cli.ts";
import { violationsInAllWays } from "../support/axe.ts";
import { describeInChromium } from "../support/chromium.ts";
import { showView } from "./support/console.ts";
import {
  ALICE,
  BOB,
  CAROL,
  figuresOf,
  floorText,
  joined,
  type MemberPage,
  openPages,
  type Pages,
  TONE,
} from "./support/pages.ts";

const DISPATCHER = "sip:dispatcher@example.org";
const HARBOUR = "sip:harbour@example.org";
/** A group of others. */
const AMBULANCE = "sip:ambulance@example.org";
/** Hertz of what is said in each group. */
const TONES = [500, 1500] as const;
/** Decibels of a tone that is played, also at a quarter of its volume, and of one that is not. */
const [HEARD, SILENT] = [-50, -70];
/** Readings that agree, each of other samples than the one before: at its begin and its end a talk may be as loud as any. */
const READINGS = 4;
/** Seconds of one talk: less than the server's limit. */
const TALK = "20";
/** The slider at a quarter is 12 decibels down. */
const QUARTER = "25";

describeInChromium("a dispatcher in the console", () => {
  let pages: Pages;
  let page: Page;
  let alice: MemberPage;
  const faults: string[] = [];

  beforeAll(async () => {
    pages = await openPages();
    await pages.servers.operate(async (admin) => {
      await admin.addMembers(OPERATOR, GROUP, [{ uri: DISPATCHER }]);
      const create = (uri: string, members: readonly string[], displayName: string) =>
        admin.createGroup(OPERATOR, {
          uri,
          members: members.map((member) => ({ uri: member })),
          settings: { displayName },
        });
      await create(HARBOUR, [DISPATCHER, CAROL], "Harbour");
      await create(AMBULANCE, [BOB, CAROL], "Ambulance");
    });
    page = await (await pages.browser.newContext()).newPage();
    page.setDefaultTimeout(120_000);
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    await page.goto(await pages.servers.console());
    await showView(page, "Calls");
  });
  afterAll(() => pages?.close());

  const tile = (name: string) => page.locator(".card").filter({ hasText: name });
  /** Decibels of both tones, several times. */
  const levels = () =>
    page.evaluate(
      async ({ tones, readings }) => {
        const found: (readonly number[])[] = [];
        while (found.length < readings) {
          found.push((await (globalThis as unknown as { figures: typeof figures }).figures(tones)).levels);
          await new Promise((done) => setTimeout(done, 200));
        }
        return found as [number, number][];
      },
      { tones: TONES, readings: READINGS },
    );
  const hears = (isRight: (first: number, second: number) => boolean) =>
    expect
      .poll(async () => (await levels()).every(([first, second]) => isRight(first, second)), {
        timeout: 120_000,
      })
      .toBe(true);

  /** Says a tone to a group again and again. Gives what ends it. */
  function talking(group: string, user: string, hertz: number): () => Promise<void> {
    const who = ["--local", pages.servers.folder, "--user", user];
    const say = () => startCli(["talk", group, ...who, "--tone", String(hertz), "--seconds", TALK]);
    let isOver = false;
    let now = say();
    const talks = (async () => {
      for (;;) {
        await now.ended;
        if (isOver) return;
        now = say();
      }
    })();
    return async () => {
      isOver = true;
      now.kill("SIGTERM");
      await talks;
    };
  }

  async function press(name: string, key: string): Promise<void> {
    await page.getByLabel(name, { exact: true }).focus();
    await page.keyboard.press(key);
  }

  async function isClean(): Promise<void> {
    expect(await violationsInAllWays(page)).toEqual([]);
  }

  it("joins as a user of their own, and listens to the groups that they choose", async () => {
    await page.getByText("Take part in calls").focus();
    await page.keyboard.press("Enter");
    await isClean();
    await page.getByLabel("Your identity").focus();
    await page.keyboard.type(DISPATCHER);
    await page.keyboard.press("Enter");
    await page.getByText(`You take part as ${DISPATCHER}, connected.`).waitFor();
    await tile("Ambulance").getByText("you are not a member").waitFor();
    for (const name of [GROUP, "Harbour"]) {
      await press(`Listen to ${name}`, "Space");
      await tile(name).getByText("You hear it when somebody talks.").waitFor();
      await tile(name).getByText("1 in the call").waitFor();
    }
    await isClean();
  });

  it("hears two groups at once, each as loud as its tile says, and one of them no more when it is muted", async () => {
    const ends = [talking(GROUP, ALICE, TONES[0]), talking(HARBOUR, CAROL, TONES[1])];
    const areHeard = (first: number, second: number) => Math.min(first, second) > HEARD;
    await hears((first, second) => areHeard(first, second) && second - first > -6);
    await tile(GROUP).getByText("You hear alice.").waitFor();
    await tile("Harbour").getByText("You hear carol.").waitFor();
    const slider = page.getByRole("slider", { name: "Volume of Harbour" });
    await slider.focus();
    for (let n = 0; n < 15; n++) await page.keyboard.press("ArrowLeft");
    expect(await slider.inputValue()).toBe(QUARTER);
    await hears((first, second) => areHeard(first, second) && second - first < -9);
    await press(`Mute ${GROUP}`, "Space");
    await hears((first, second) => first < SILENT && second > HEARD);
    await isClean();
    await press(`Mute ${GROUP}`, "Space");
    await hears(areHeard);
    await Promise.all(ends.map((end) => end()));
  });

  it("keeps the groups and their volumes for the next visit", async () => {
    await page.reload();
    await page.getByText("Take part in calls").click();
    await page.getByRole("button", { name: "Join" }).click();
    for (const name of [GROUP, "Harbour"])
      await tile(name).getByText("You hear it when somebody talks.").waitFor();
    expect(await page.getByRole("slider", { name: "Volume of Harbour" }).inputValue()).toBe(QUARTER);
  });

  const inBoth = () => page.getByRole("button", { name: /^Hold to talk to \d selected$/ });

  it("talks to two groups at once, and is heard in both", async () => {
    alice = await pages.member(ALICE);
    await joined(alice.page);
    const out = join(pages.folder, "harbour.wav");
    const who = ["--local", pages.servers.folder, "--user", CAROL];
    const carol = startCli(["listen", HARBOUR, ...who, "--out", out, "--json"]);
    await carol.shows('"event":"listening"');
    await press(`Select ${GROUP}`, "Space");
    await press("Select Harbour", "Space");
    await inBoth().focus();
    await page.keyboard.down("Space");
    await page.getByText("2 of 2 hear you.").waitFor();
    await floorText(alice.page).getByText("dispatcher talks.").waitFor();
    await expect
      .poll(async () => (await figuresOf(alice.page)).loudest?.hertz, { timeout: 60_000 })
      .toSatisfy((hertz) => Math.abs((hertz as number) - TONE) < 10);
    await carol.shows(DISPATCHER);
    await page.keyboard.up("Space");
    await floorText(alice.page).getByText("Nobody talks.").waitFor();
    carol.kill("SIGTERM");
    const { status, stderr } = await carol.ended;
    expect(status, stderr).toBe(0);
    expect(toneFrames(readWav(await readFile(out), out))).toBeGreaterThan(0);
  });

  it("is refused by the group in which somebody talks, told so, and heard by the other one", async () => {
    // Nobody gets the floor of a call that they are alone in.
    const who = ["--local", pages.servers.folder, "--user", CAROL];
    const carol = startCli(["listen", HARBOUR, ...who, "--out", join(pages.folder, "other.wav"), "--json"]);
    await carol.shows('"event":"listening"');
    await alice.page.keyboard.down("Space");
    await tile(GROUP).getByText("You hear alice.").waitFor();
    await inBoth().focus();
    await page.keyboard.down("Enter");
    await page.getByText("1 of 2 hear you.").waitFor();
    await tile("Harbour").getByText("Everybody hears you.").waitFor();
    await tile(GROUP).getByText("You hear alice.").waitFor();
    await page.keyboard.up("Enter");
    await alice.page.keyboard.up("Space");
    await tile("Harbour").getByText("You hear it when somebody talks.").waitFor();
    carol.kill("SIGTERM");
    expect((await carol.ended).status).toBe(0);
  });

  it("talks in one tile alone, and gives the floor back when the button loses the focus", async () => {
    await floorText(alice.page).getByText("Nobody talks.").waitFor();
    await page.getByRole("button", { name: `Hold to talk to ${GROUP}` }).focus();
    await page.keyboard.down("Space");
    await floorText(alice.page).getByText("dispatcher talks.").waitFor();
    await tile("Harbour").getByText("You hear it when somebody talks.").waitFor();
    await page.keyboard.press("Shift+Tab");
    await floorText(alice.page).getByText("Nobody talks.").waitFor();
    await page.keyboard.up("Space");
  });

  it("calls one user privately, who hears them and is heard by nobody else", async () => {
    const out = join(pages.folder, "private.wav");
    const who = ["--local", pages.servers.folder, "--user", CAROL];
    const carol = startCli(["listen", "--calls", ...who, "--out", out, "--json"]);
    await carol.shows('"event":"waiting"');
    await page.getByLabel("Private call").focus();
    await page.keyboard.type(CAROL);
    await page.keyboard.press("Enter");
    await page.getByText("Private call with carol. Nobody talks.").waitFor();
    await isClean();
    const { received } = (await figuresOf(alice.page)).counts!;
    await page.getByRole("button", { name: "Hold to talk to carol alone" }).focus();
    await page.keyboard.down("Space");
    await page.getByText("carol hears you.").waitFor();
    await carol.shows('"state":"taken"');
    // Two seconds of speech: the first frames of a slow machine come well after the floor.
    await page.waitForTimeout(2000);
    await page.keyboard.up("Space");
    await page.getByText("Private call with carol. Nobody talks.").waitFor();
    await page.getByRole("button", { name: "Hang up" }).focus();
    await page.keyboard.press("Enter");
    const { status, stderr } = await carol.ended;
    expect(status, stderr).toBe(0);
    expect(toneFrames(readWav(await readFile(out), out))).toBeGreaterThan(0);
    expect((await figuresOf(alice.page)).counts!.received).toBe(received);
    await page.getByLabel("Private call").fill("sip:nobody@example.org");
    await page.keyboard.press("Enter");
    await page.getByText(/^sip:nobody@example\.org was not reached/).waitFor();
  });

  it("sees who has a message of theirs, and who has read it", async () => {
    const messages = tile(GROUP).getByText(/^Messages/);
    await messages.focus();
    await page.keyboard.press("Enter");
    // Bob looks at another group, and has not read it.
    const bob = await pages.member(BOB);
    await joined(bob.page);
    await bob.page.getByRole("button", { name: /^ambulance/ }).click();
    await page.getByLabel(`Message to ${GROUP}`).focus();
    await page.keyboard.type("units to the north gate");
    await page.keyboard.press("Enter");
    const sent = tile(GROUP).getByRole("listitem").filter({ hasText: "units to the north gate" });
    await sent.getByText("read by alice; delivered to bob").waitFor();
    await isClean();
    await bob.page.getByRole("button", { name: /^fire/ }).click();
    await sent.getByText(/^read by alice, bob$/).waitFor();
    await bob.page.context().close();
    // Carol was away; the command line has read what it prints.
    const who = ["--local", pages.servers.folder, "--user", CAROL];
    const carol = startCli(["mcdata", "receive", GROUP, ...who, "--count", "1", "--json"]);
    await sent.getByText("read by alice, bob, carol").waitFor();
    expect((await carol.ended).status).toBe(0);
    await page.reload();
    await page.getByText("Take part in calls").click();
    await page.getByRole("button", { name: "Join" }).click();
    await messages.click();
    await sent.getByText("read by alice, bob, carol").waitFor();
  });

  it("leaves the call of a group that they listen to no more", async () => {
    await press("Listen to Harbour", "Space");
    await tile("Harbour").getByText("no call").waitFor();
    expect(await page.getByRole("slider", { name: "Volume of Harbour" }).count()).toBe(0);
    // The other call goes on. Whether bob, whose page is closed, still counts there depends on a timer of the server.
    await tile(GROUP)
      .getByText(/^\d in the call/)
      .waitFor();
  });

  it("is nobody in a browser without a session", async () => {
    const other = await (await pages.browser.newContext()).newPage();
    await other.goto(new URL(page.url()).origin);
    await other.getByRole("button", { name: "Sign in" }).waitFor();
    const statuses = await other.evaluate(async (user) => {
      const body = JSON.stringify({ user });
      const headers = { "content-type": "application/json" };
      const asked = [
        fetch("/config.json"),
        fetch("/talk/tokens", { method: "POST", headers, body }),
        fetch("/talk/kms/keymanagement/identity/v1/init", { method: "POST" }),
      ];
      return (await Promise.all(asked)).map(({ status }) => status);
    }, DISPATCHER);
    expect(statuses).toEqual([401, 401, 401]);
    await other.context().close();
  });

  it("starts no other worker than the two of the calls", async () => {
    const start = (script: string) =>
      page.evaluate((url) => {
        try {
          new Worker(url);
          return "started";
        } catch (error) {
          return (error as Error).name;
        }
      }, script);
    expect(await start("page.js")).toBe("TypeError");
    expect(await start("data:text/javascript,0")).toBe("TypeError");
    faults.splice(0, faults.length, ...faults.filter((text) => !text.includes("TrustedScriptURL")));
  });

  it("hangs up when the operator signs out, and logged no error", async () => {
    expect(faults).toEqual([]);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    const present = () => alice.page.locator(".present li").allInnerTexts();
    await expect.poll(present).toEqual(["alice (you)"]);
  });
});

/** How many frames have the tone of the microphone in them, and little else. */
function toneFrames(samples: Int16Array): number {
  const frames = Array.from({ length: Math.floor(samples.length / G711_FRAME) }, (_, n) =>
    samples.subarray(n * G711_FRAME, (n + 1) * G711_FRAME),
  );
  return frames.filter((frame) => shareOf(TONE, frame) > 0.9).length;
}
