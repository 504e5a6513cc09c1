/** `config check`: a configuration as the servers would read it, before they start with it. */
import type { Command } from "commander";
import { folderOf, folderOptions } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";

interface Options {
  dataDir: string;
  config?: string;
}

export function registerConfig(program: Command, runner: Runner): void {
  const config = program.command("config").summary("look at a configuration");
  runner.define<[], Options>(
    config,
    "check",
    {
      summary: "check a configuration without starting anything",
      description:
        "Read the configuration of a data folder, or a file, with the variables of the environment, as the servers " +
        "do: all keys and values, the certificate with its key, files of tokens and keys. Starts and creates nothing.",
      example: "mikey-sakke config check --config /etc/mikey-sakke/config.json",
    },
    folderOptions,
    check,
  );
}

async function check({ output }: Context, options: Options): Promise<ExitStatus> {
  const { checkConfig } = await import("../serve/check-config.ts");
  const servers = await checkConfig(folderOf(options));
  output.result({ status: "ok", servers }, () =>
    Object.entries(servers).map(([server, facts]) => `${server}  ${facts.uri}  ${facts.listens.join(", ")}`),
  );
  return EXIT.accepted;
}
