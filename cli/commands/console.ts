/** `console`: a link that signs in to the operators' console. */
import type { Command } from "commander";
import { DEFAULT_FOLDER } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";

interface Options {
  dataDir: string;
}

export function registerConsole(program: Command, runner: Runner): void {
  runner.define<[], Options>(
    program,
    "console",
    {
      summary: "print a link that signs in to the operators' console",
      description:
        "Print a link to the operators' console of the servers that run on a data folder. The link signs in once, within " +
        "15 minutes. Anyone who has it by then can do what an operator can.",
      example: "mikey-sakke console --data-dir /var/lib/mikey-sakke/data",
    },
    (command) => command.option("--data-dir <dir>", "folder of the servers, as of serve", DEFAULT_FOLDER),
    link,
  );
}

async function link({ output }: Context, options: Options): Promise<ExitStatus> {
  const { consoleLink } = await import("../console/link.ts");
  const made = await consoleLink(options);
  output.result({ status: "ok", link: made }, () => [made]);
  return EXIT.accepted;
}
