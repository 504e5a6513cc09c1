/** The servers of the demo: `mikey-sakke serve` as a process of its own, on a folder that goes when it ends. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pause } from "../../base/deadline.ts";
import { MikeySakkeError } from "../../base/errors.ts";

export interface Servers {
  readonly folder: string;
  /** SIGTERM, and the end of the process; its status must be 0. */
  stop(): Promise<void>;
  /** Returns how they ended, if they did without being asked to. */
  fault(): Promise<MikeySakkeError | undefined>;
  /** Ends what is left, whatever state it is in. */
  discard(): Promise<void>;
}

/** Beside the sources it runs from them, with the loader that this process has. */
const FROM_SOURCE = import.meta.url.endsWith(".ts");
const MAIN = fileURLToPath(new URL(FROM_SOURCE ? "../main.ts" : "../main.js", import.meta.url));
const MAX_LOG = 10_000;
const DYING_MS = 1000;

/** `signal`: nobody waits for them any more. */
export async function startServers({ signal }: { readonly signal: AbortSignal }): Promise<Servers> {
  const folder = await mkdtemp(join(tmpdir(), "mikey-sakke-demo-"));
  const data = join(folder, "data");
  const args = [...(FROM_SOURCE ? ["--import", "tsx"] : []), MAIN];
  const serve = ["serve", "--data-dir", data, "--port", "0", "--log-level", "error", "--json"];
  // Workers run from what was built.
  const workers = FROM_SOURCE && { MIKEY_SAKKE_GMS_WORKERS: "0" };
  // Two may talk at a time, for what is mixed to be of more than one.
  const env = { ...process.env, MIKEY_SAKKE_MCX_SPEAKERS: "2", ...workers };
  const child = spawn(process.execPath, [...args, ...serve], { env, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-MAX_LOG);
  });
  const closed = new Promise((resolve) => child.once("close", resolve));
  const discard = async () => {
    await ended(child, "SIGKILL");
    await rm(folder, { recursive: true, force: true });
  };
  const giveUp = () => void discard();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    const line = await firstLine(child);
    if (!line.includes('"listening"')) throw failed(`${line}\n${log}`);
  } catch (error) {
    await discard();
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
  return {
    folder: data,
    async fault() {
      // The end of a connection is seen before the end of the process that held it.
      await Promise.race([closed, pause(DYING_MS)]);
      const how = child.exitCode ?? child.signalCode;
      return how === null ? undefined : failed(`ended with ${how}\n${log}`);
    },
    async stop() {
      const status = await ended(child, "SIGTERM");
      if (status !== 0) throw failed(`ended with ${status}\n${log}`);
    },
    discard,
  };
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of stdout!.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  stdout!.resume();
  return text;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals) {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  }
  return child.exitCode ?? child.signalCode;
}

function failed(text: string): MikeySakkeError {
  return new MikeySakkeError("transport", "DEMO_SERVERS", `the servers of the demo: ${text}`);
}
