/** The commands of `mikey-sakke` as commander has them, for what is made of them: man pages, the reference, tests. */
import { type Argument, Command, type Option } from "commander";
import { registerAll } from "../cli/commands/index.ts";
import { Runner } from "../cli/terminal/command.ts";

export interface CommandAt {
  /** The names that lead to it; empty for the program itself. */
  readonly path: readonly string[];
  /** The name by which it is called, such as `mikey-sakke kms audit`. */
  readonly name: string;
  readonly command: Command;
  /** Examples of calls, one a line; undefined for a command that only leads to others. */
  readonly example: string | undefined;
}

/** The program and all commands below it, in the order of the help. They print nothing. */
export function allCommands(): [CommandAt, ...CommandAt[]] {
  const program = new Command("mikey-sakke");
  const nowhere = { write: () => true };
  const runner = new Runner({ stdin: (async function* () {})(), stdout: nowhere, stderr: nowhere });
  registerAll(program, runner);
  const at = (command: Command, path: readonly string[]): [CommandAt, ...CommandAt[]] => [
    { path, name: [program.name(), ...path].join(" "), command, example: runner.examples.get(command) },
    ...command.commands.flatMap((one) => at(one, [...path, one.name()])),
  ];
  return at(program, []);
}

/** Returns the options with what they are for, in the order of the help. */
export function optionsOf(command: Command): [flags: string, about: string][] {
  return command.options.filter(({ hidden }) => !hidden).map((option) => [option.flags, aboutOf(option)]);
}

export function argumentsOf(command: Command): [name: string, about: string][] {
  return command.registeredArguments.map((argument) => [argument.name(), aboutOf(argument)]);
}

function aboutOf(one: Option | Argument): string {
  const { description, defaultValue, argChoices } = one;
  const facts = [
    ...("mandatory" in one && one.mandatory ? ["needed"] : []),
    ...(argChoices === undefined ? [] : [`one of ${argChoices.join(", ")}`]),
    ...(defaultValue === undefined || defaultValue === false ? [] : [`default: ${String(defaultValue)}`]),
  ];
  return facts.length === 0 ? description : `${description} (${facts.join("; ")})`;
}
