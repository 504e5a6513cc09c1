/** A member on UDP who records what they hear. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { G711_FRAME } from "../../../../bindings/media/index.ts";
import { readWav } from "../../../../cli/call/wav.ts";
import { GROUP } from "../../../../web/play/servers.ts";
import { startCli } from "../../../cli/run-cli.ts";
import type { Pages } from "./pages.ts";

/** Resolves when the recording has begun; `end` resolves to what is in it, in frames of 20 ms. */
export async function listener({ folder, servers }: Pages, user: string, name: string) {
  const out = join(folder, name);
  const local = ["--local", servers.folder, "--user", user, "--out", out, "--json"];
  const listening = startCli(["listen", GROUP, ...local]);
  await listening.shows('"event":"listening"');
  return {
    shows: (text: string) => listening.shows(text),
    async end() {
      listening.kill("SIGTERM");
      const { status, stdout, stderr } = await listening.ended;
      expect(status, stderr).toBe(0);
      const ended = JSON.parse(stdout.trim().split("\n").at(-1)!) as { packets: number; refused: number };
      return { ...ended, frames: framesOf(readWav(await readFile(out), out)) };
    },
  };
}

function framesOf(samples: Int16Array): Int16Array[] {
  const count = Math.floor(samples.length / G711_FRAME);
  return Array.from({ length: count }, (_, n) => samples.subarray(n * G711_FRAME, (n + 1) * G711_FRAME));
}

/** The browser takes a steady tone for noise and makes it soft. */
export const isLoud = (frame: Int16Array) => frame.some((sample) => Math.abs(sample) > 200);
