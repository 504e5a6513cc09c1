/** `health`: whether the servers that run on a data folder are ready. */
import type { Command } from "commander";
import { DEFAULT_FOLDER } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { table } from "../terminal/output.ts";

interface Options {
  dataDir: string;
}

export function registerHealth(program: Command, runner: Runner): void {
  runner.define<[], Options>(
    program,
    "health",
    {
      summary: "whether the servers on a data folder are ready",
      description:
        "Ask each server that runs on a data folder whether it is ready (/health/ready of its admin listener). " +
        "Exit status 0 if all are ready. For health checks of containers and service managers.",
      example: "mikey-sakke health --data-dir /var/lib/mikey-sakke/data",
    },
    (command) => command.option("--data-dir <dir>", "folder of the servers, as of serve", DEFAULT_FOLDER),
    health,
  );
}

async function health({ output }: Context, { dataDir }: Options): Promise<ExitStatus> {
  const { askHealth } = await import("../serve/health.ts");
  const servers = await askHealth(dataDir);
  const ready = servers.length > 0 && servers.every((server) => server.ready);
  const rows = servers.map((server) => [
    server.server,
    server.ready ? "ready" : "not ready",
    server.reason ?? "",
  ]);
  output.result(
    { status: ready ? "ready" : "not-ready", servers: servers.map((server) => ({ ...server })) },
    () =>
      servers.length === 0
        ? [`${dataDir}: no server runs on this data folder`]
        : table([["server", "state", "reason"], ...rows]),
  );
  return ready ? EXIT.accepted : EXIT.refused;
}
