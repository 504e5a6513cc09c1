/** Tests of how a command finds the server that runs on its data folder. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { runningServer, writeAdminFile } from "../../cli/server/admin-file.ts";
import { temporaryFolder } from "./run-cli.ts";

it("a server of a data folder that takes seconds to answer runs all the same", async () => {
  // A machine with many times more work than processors takes this long.
  const server = createServer((_, response) => setTimeout(() => response.end("ok"), 3000));
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const file = join(await temporaryFolder(), "admin.json");
  const access = { url: `http://127.0.0.1:${port}`, token: "operator", pid: process.pid };
  await writeAdminFile(file, access);
  expect(await runningServer(file, fetch)).toEqual(access);
});
