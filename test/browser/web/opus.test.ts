/** The format of speech of pages: Opus where all in the call have it, G.711 otherwise. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { shareOf } from "../../../cli/call/tone.ts";
import { describeInChromium } from "../support/chromium.ts";
import { isLoud, listener } from "./support/listener.ts";
import {
  ALICE,
  BOB,
  CAROL,
  figuresOf,
  floorText,
  joined,
  openPages,
  type Pages,
  RATE,
  TONE,
  toneOf,
  visit,
} from "./support/pages.ts";

/** More than G.711 carries. */
const HIGH = 5000;
const HEARD = { timeout: 60_000, interval: 50 };

describeInChromium("pages whose browser has Opus", () => {
  let pages: Pages;
  let alice: Page;
  let bob: Page;

  beforeAll(async () => {
    // Half a second of either tone.
    const said = toneOf(TONE);
    said.set(toneOf(HIGH).subarray(0, RATE / 2));
    pages = await openPages({ said });
    [alice, bob] = await Promise.all([open(ALICE), open(BOB)]);
  });
  afterAll(() => pages?.close());
  const faults: string[][] = [];
  afterEach(() => expect(faults.flat()).toEqual([]));

  async function open(user: string): Promise<Page> {
    const member = await pages.member(user);
    await joined(member.page);
    faults.push(member.faults);
    return member.page;
  }

  /** The tone is what is played at `page` while `talker` talks. */
  async function hears(page: Page, talker: Page, hertz: number): Promise<void> {
    const figures = async () => {
      await goOn(talker);
      return figuresOf(page);
    };
    await expect.poll(figures, HEARD).toMatchObject({
      loudest: { hertz: expect.closeTo(hertz, -1), above: expect.toSatisfy((above) => above > 20) },
    });
  }

  /** The server ends a talk after a while, and where nothing comes for as long as a busy machine stalls. */
  async function goOn(talker: Page): Promise<void> {
    if ((await floorText(talker).innerText()) !== "Nobody talks.") return;
    await talker.keyboard.up("Space");
    await begin(talker);
  }

  async function begin(talker: Page): Promise<void> {
    await talker.keyboard.down("Space");
    await floorText(talker).getByText("Everybody hears you.").waitFor();
  }

  async function talk(talker: Page, whileTalking: () => Promise<void>): Promise<void> {
    await begin(talker);
    await whileTalking();
    await talker.keyboard.up("Space");
    await floorText(talker).getByText("Nobody talks.").waitFor();
  }

  it("hear more than G.711 carries, and a member on UDP hears them", async () => {
    const carol = await listener(pages, CAROL, "opus.wav");
    await talk(alice, async () => {
      await hears(bob, alice, HIGH);
      await hears(bob, alice, TONE);
    });
    await talk(bob, () => hears(alice, bob, HIGH));
    const { packets, refused, frames } = await carol.end();
    expect([refused, packets > 0]).toEqual([0, true]);
    const loud = frames.filter(isLoud);
    expect(loud.length).toBeGreaterThan(10);
    expect(loud.filter((frame) => shareOf(TONE, frame) > 0.9).length).toBeGreaterThan(0.5 * loud.length);
  });

  it("go on in G.711 with a page whose browser has no AudioEncoder, and in Opus when it has left", async () => {
    const context = await pages.browser.newContext();
    await context.addInitScript(() => {
      Reflect.deleteProperty(globalThis, "AudioEncoder");
    });
    const carol = await visit(pages, context, CAROL);
    await talk(carol, async () => {
      await hears(alice, carol, TONE);
      await hears(bob, carol, TONE);
    });
    await talk(alice, () => hears(carol, alice, TONE));
    const { received, refused } = (await figuresOf(carol)).counts!;
    expect([received > 0, refused]).toEqual([true, 0]);
    // Nothing above the band of G.711 comes, over more than the second in which the microphone repeats itself.
    await talk(alice, async () => {
      await hears(bob, alice, TONE);
      const heard: number[] = [];
      const before = (await figuresOf(bob)).counts!.received;
      await expect
        .poll(async () => {
          await goOn(alice);
          const { loudest, counts } = await figuresOf(bob);
          if (loudest !== undefined && loudest.above > 20) heard.push(loudest.hertz);
          return counts!.received - before;
        }, HEARD)
        .toBeGreaterThan(100);
      expect(heard.filter((hertz) => hertz > 4000)).toEqual([]);
    });
    // The others hear of it after ten seconds, in the middle of a talk.
    await carol.getByRole("button", { name: "Leave" }).click();
    await talk(alice, () => hears(bob, alice, HIGH));
    await context.close();
  });
});
