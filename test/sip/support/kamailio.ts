/** Runs Kamailio as a proxy on UDP, TCP and WebSocket of one port. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../support/free-port.ts";

export const KAMAILIO = "/usr/sbin/kamailio";
const HOST = "127.0.0.1";

export interface SipProxy {
  readonly port: number;
  stop(): Promise<void>;
}

export interface KamailioOptions {
  /** An outbound proxy when absent. */
  readonly config?: URL;
  /** Values for names in the configuration. */
  readonly defines?: Readonly<Record<string, string>>;
}

export async function startKamailio(options: KamailioOptions = {}): Promise<SipProxy> {
  const { config = new URL("../kamailio/proxy.cfg", import.meta.url), defines = {} } = options;
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "kamailio-"));
  const listen = ["-l", `udp:${HOST}:${port}`, "-l", `tcp:${HOST}:${port}`];
  const defined = Object.entries(defines).flatMap(([name, value]) => ["-A", `${name}="${value}"`]);
  const args = ["-f", fileURLToPath(config), "-DD", "-E", "-Y", folder, ...listen, ...defined];
  const child = spawn(KAMAILIO, args, { stdio: "pipe" });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes) => {
      said += String(bytes);
    });
  while (!(await reachable(port))) {
    if (child.exitCode !== null) throw new Error(`Kamailio ended: ${said}`);
  }
  return { port, stop: () => stop(child, folder) };
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
  rmSync(folder, { recursive: true });
}

function reachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    const done = (answer: boolean) => {
      socket.destroy();
      setTimeout(() => resolve(answer), 50);
    };
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });
}
