/** What `npm run play` says when one of its processes ends by itself. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { watchChild } from "../../web/play/child.ts";

/** `npm run play` without its builds. */
function startPlay(port: number): { readonly child: ChildProcess; readonly said: () => string } {
  const args = ["--import", "tsx", "web/play/main.ts", "--no-open", "--empty", "--port", String(port)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGTERM"));
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (some: string) => {
      text += some;
    });
  }
  return { child, said: () => text };
}

function startNode(script: string): ChildProcess {
  return spawn(process.execPath, ["--eval", script], { stdio: ["ignore", "ignore", "pipe"] });
}

it("npm run play names the servers when they are killed, with the signal, and ends", async () => {
  const { child, said } = startPlay(0);
  await expect.poll(said).toContain("Ctrl-C ends all of it");
  const [servers] = await childrenOf(child.pid!);
  process.kill(servers!, "SIGKILL");
  const [status] = await once(child, "close");
  expect(status).toBe(1);
  expect(said()).toContain(`mikey-sakke serve (process ${servers}) was ended by SIGKILL.`);
  expect(said()).toContain("Its last lines of standard error:");
  expect(said()).toContain("out of memory");
});

it("npm run play says which port is taken and how to choose another one", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const { child, said } = startPlay(port);
  const [status] = await once(child, "close");
  expect(status).toBe(1);
  expect(said()).toContain(`another program has port ${port}; choose one with -- --port N`);
  expect(said()).not.toContain("    at ");
});

it("a process that fails is told of with its exit status and its last lines", async () => {
  const script = 'for (let n = 0; n < 30; n++) console.error("line " + n); process.exitCode = 3;';
  const child = startNode(script);
  const why = await watchChild("the test", child).died;
  expect(why).toContain(`the test (process ${child.pid}) ended with exit status 3.`);
  expect(why).toMatch(/error:\n\nline 18\n(?:line \d+\n)+line 29\n/);
  expect(why).toContain("start npm run play again");
});

it("a process that is stopped has not died", async () => {
  const child = startNode("setInterval(() => {}, 1000)");
  const { died, stop } = watchChild("the test", child);
  await stop();
  expect(child.signalCode).toBe("SIGTERM");
  await expect(Promise.race([died, Promise.resolve("goes on")])).resolves.toBe("goes on");
});

/** The processes that a process has started and that are of Node.js. */
async function childrenOf(pid: number): Promise<number[]> {
  const ps = spawn("ps", ["-o", "pid=,args=", "--ppid", String(pid)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = (await ps.stdout.setEncoding("utf8").toArray()).join("").split("\n");
  return lines.filter((line) => line.includes("dist/cli/main.js")).map((line) => Number.parseInt(line, 10));
}
