/** Pages of members in Chromium, on the servers of `npm run play`. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { readRunning } from "../../../../cli/gms/running-file.ts";
import type { figures } from "../../../../web/client/app/store.ts";
import { MEMBERS, type Play, type PlaySignIn, play } from "../../../../web/play/servers.ts";
import { launchChromium } from "../../support/chromium.ts";
import { buildPages } from "./build.ts";

/** Hertz of the tone that is played into the microphone. */
export const TONE = 700;
export const RATE = 48_000;

export interface Pages {
  readonly servers: Play;
  readonly browser: Browser;
  /** Folder of this test. */
  readonly folder: string;
  /** A page of a member who has joined, in a browser profile of its own. */
  member(user: string, options?: Parameters<Browser["newContext"]>[0]): Promise<MemberPage>;
  /** kB that parts of both pages take compressed. */
  readonly sizes: Readonly<Record<"page" | "workers" | "worklet" | "console" | "dispatcher", number>>;
  close(): Promise<void>;
}

export interface MemberPage {
  readonly page: Page;
  /** Errors that the page has reported. */
  readonly faults: string[];
}

export interface PagesOptions {
  /** Runs in each page before anything of it. */
  readonly init?: () => void;
  /** An identity management server in place of development tokens. */
  readonly signIn?: PlaySignIn;
  /** A second of sound, 48,000 samples, that is played into the microphones again and again; a tone when absent. */
  readonly said?: Int16Array;
  /** Leads the media of pages elsewhere: from the port of the MCX server to another one. */
  readonly detour?: (port: number) => Promise<{ readonly port: number; close(): void }>;
}

export async function openPages({
  init,
  signIn,
  said = toneOf(TONE),
  detour,
}: PagesOptions = {}): Promise<Pages> {
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
  };
  try {
    buildPages();
    const folder = await mkdtemp(join(tmpdir(), "mikey-sakke-web-"));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const microphone = join(folder, "tone.wav");
    await writeFile(microphone, wavFile(said));
    const servers = await play({ port: 0, ...(signIn && { signIn }) });
    closers.push(() => servers.close());
    const detours: Record<string, string> = {};
    if (detour !== undefined) {
      const { host, port } = new URL((await readRunning(servers.folder)).mcx!.mediaUrl!);
      const proxy = await detour(Number(port));
      closers.push(() => proxy.close());
      detours[host] = `127.0.0.1:${proxy.port}`;
    }
    const browser = await launchChromium({ microphone, detours });
    closers.push(() => browser.close());
    const member: Pages["member"] = async (user, options) => {
      const page = await (await browser.newContext(options)).newPage();
      if (init !== undefined) await page.addInitScript(init);
      const faults: string[] = [];
      page.on("pageerror", (error) => faults.push(String(error)));
      page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
      await enter(page, servers, user);
      return { page, faults };
    };
    const sizes = JSON.parse(await readFile("web/dist/sizes.json", "utf8"));
    return { servers, browser, folder, member, sizes, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export const [ALICE, BOB, CAROL] = MEMBERS as [string, string, string];

export const talkButton = (page: Page) => page.locator(".hold");
export const floorText = (page: Page) => page.locator(".floor");

/** Opens the page of a member in a context of the test's own, and waits until they are in the call. */
export async function visit({ servers }: Pages, context: BrowserContext, user: string): Promise<Page> {
  const page = await context.newPage();
  await enter(page, servers, user);
  await joined(page);
  return page;
}

async function enter(page: Page, { site }: Play, user: string): Promise<void> {
  await page.goto(`${site.origin}/?user=${encodeURIComponent(user)}`);
  await page.getByRole("button", { name: "Join" }).click();
}

/** Waits until the member is in the call. */
export async function joined(page: Page): Promise<void> {
  await page.locator('.hold[aria-disabled="false"]').waitFor();
}

export function figuresOf(page: Page): ReturnType<typeof figures> {
  return page.evaluate(() => (globalThis as unknown as { figures: typeof figures }).figures());
}

/** A second of a tone, in whole periods so that it can be said again and again. */
export function toneOf(hertz: number): Int16Array {
  return Int16Array.from({ length: RATE }, (_, i) =>
    Math.round(8000 * Math.sin((2 * Math.PI * hertz * i) / RATE)),
  );
}

/** A second of PCM of 16 bits. */
function wavFile(samples: Int16Array): Buffer {
  const file = Buffer.alloc(44 + 2 * RATE);
  file.write("RIFF", 0);
  file.writeUInt32LE(36 + 2 * RATE, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(RATE, 24);
  file.writeUInt32LE(2 * RATE, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36);
  file.writeUInt32LE(2 * RATE, 40);
  for (const [i, sample] of samples.entries()) file.writeInt16LE(sample, 44 + 2 * i);
  return file;
}
