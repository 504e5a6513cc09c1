/** `completion`. */
import { Argument, type Command } from "commander";
import type { Context, Runner } from "../terminal/command.ts";
import { completionScript, SHELLS, type Shell } from "../terminal/completion.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";

export function registerCompletion(program: Command, runner: Runner): void {
  runner.define<[Shell], object>(
    program,
    "completion",
    {
      summary: "print a script that completes commands and options in a shell",
      description: "Print a script for a shell that completes the commands and options of this program.",
      example:
        "mikey-sakke completion bash > ~/.local/share/bash-completion/completions/mikey-sakke\n" +
        "source <(mikey-sakke completion bash)",
    },
    (command) => command.addArgument(new Argument("<shell>", "which shell").choices(SHELLS)),
    async ({ output }: Context, _options: object, shell: Shell): Promise<ExitStatus> => {
      const script = completionScript(shell, program);
      output.result({ status: "ok", shell, script }, () => script.trimEnd().split("\n"));
      return EXIT.accepted;
    },
  );
}
