/** The commands of `mikey-sakke` as commander has them, for what is made of them: man pages, the reference, tests. */
import { Command } from "commander";
import { registerAll } from "../cli/commands/index.ts";
import { Runner } from "../cli/terminal/command.ts";

export interface CommandAt {
  /** Names that lead to it: none for the program itself. */
  readonly path: readonly string[];
  readonly command: Command;
}

/** The program; its commands print nothing. */
export function programOf(): Command {
  const program = new Command("mikey-sakke");
  const nowhere = { write: () => true };
  const host = { stdin: (async function* () {})(), stdout: nowhere, stderr: nowhere };
  registerAll(program, new Runner(host));
  return program;
}

/** The command and all below it, in the order of the help. */
export function commandsOf(command: Command, path: readonly string[] = []): CommandAt[] {
  const below = command.commands.flatMap((one) => commandsOf(one, [...path, one.name()]));
  return [{ path, command }, ...below];
}
