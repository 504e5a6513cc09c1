/** Calls of `mikey-sakke` in texts that show them. */
import { allCommands } from "../../tools/commands.ts";

const [PROGRAM] = allCommands();

/** Returns the calls of the command in a script, without the shell's words around them. Those in quotes count as well. */
export function callsIn(text: string): string[] {
  const whole = text.replaceAll("\\\n", " ");
  const quoted = Array.from(whole.matchAll(/'(mikey-sakke [^']*)'/g), ([, call]) => call!);
  const lines = [...whole.replace(/'[^']*'/g, "QUOTED").split("\n"), ...quoted];
  return lines.flatMap((line) => /(?:^|[|;&(] *)(mikey-sakke [^|>)#;&]*)/.exec(line)?.[1]?.trim() ?? []);
}

/** Returns what a call has that is no command or no option of it; none where it can be taken. */
export function strayIn(call: string): string[] {
  const [, ...words] = call.split(/\s+/);
  let called = PROGRAM.command;
  for (const word of words) {
    const below = called.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (below === undefined) break;
    called = below;
  }
  const known = ["-h", "--help", ...called.options.flatMap(({ long, short }) => [long, short])];
  const options = words
    .map((word) => /^--?[a-z][\w-]*/.exec(word)?.[0])
    .filter((option) => option !== undefined && !known.includes(option));
  // A command that only leads to others, except where options of the program stand alone.
  const isWhole =
    called.registeredArguments.length > 0 || called.commands.length === 0 || called.name() === "serve";
  return isWhole || words.every((word) => word.startsWith("-"))
    ? options.map((option) => option!)
    : [called.name(), ...options.map((option) => option!)];
}
