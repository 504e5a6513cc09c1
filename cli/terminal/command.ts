/** The parts that all commands share: --json, an example in the help, exit status 2 for wrong calls. */
import { Command, CommanderError, Option } from "commander";
import { EXIT, type ExitStatus, exitStatusOf } from "./exit-status.ts";
import type { ByteSource } from "./files.ts";
import { Output } from "./output.ts";
import type { Streams } from "./streams.ts";
import { tlsError } from "./tls-error.ts";
import { usageError } from "./usage.ts";

export interface Context {
  readonly output: Output;
  readonly stdin: ByteSource;
}

/** The parts of its process that a run uses. */
export interface Host extends Streams {
  readonly stdin: ByteSource;
}

/** A command's work. Whatever it throws is shown and becomes the exit status. */
export type Action<Arguments extends unknown[], Options> = (
  context: Context,
  options: Options,
  ...args: Arguments
) => Promise<ExitStatus>;

/** Adds a group of commands such as `kms`, or is the root. */
export type Register = (parent: Command, run: Runner) => void;

export class Runner {
  status: ExitStatus = EXIT.accepted;
  /** Examples of the declared commands, each with one call a line. */
  readonly examples = new Map<Command, string>();
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Declares the command `usage` under `parent`, with --json and an example below its help. */
  define<Arguments extends unknown[], Options extends object>(
    parent: Command,
    usage: string,
    about: { summary: string; description?: string; example: string },
    configure: (command: Command) => void,
    action: Action<Arguments, Options>,
  ): Command {
    const command = parent.command(usage).summary(about.summary);
    command.description(about.description ?? `${about.summary}.`);
    configure(command);
    tellStrayOptionsFirst(command);
    command.addOption(new Option("--json", "print the result as one JSON document"));
    this.examples.set(command, about.example);
    command.addHelpText("after", `\nExample:\n${about.example.replace(/^/gm, "  ")}`);
    command.action(async () => {
      const options = command.opts<Options & { json?: boolean }>();
      const output = new Output(this.#host, options.json === true);
      try {
        this.status = await action(
          { output, stdin: this.#host.stdin },
          options,
          ...(command.processedArgs as Arguments),
        );
      } catch (error) {
        const told = tlsError(error) ?? error;
        output.error(told);
        this.status = exitStatusOf(told);
      }
    });
    return command;
  }
}

/** Parses and runs. Help and version end with 0, a wrong call with 2. */
export async function run(args: readonly string[], host: Host, register: Register): Promise<ExitStatus> {
  const runner = new Runner(host);
  const program = new Command("mikey-sakke");
  const json = args.includes("--json");
  program
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void host.stdout.write(text),
      // With --json the error is told by JSON alone.
      writeErr: (text) => void (json || host.stderr.write(text)),
    })
    .showHelpAfterError("(add --help for the options)");
  register(program, runner);
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.accepted;
    if (json) new Output(host, true).error(usageError("BAD_CALL", error.message.replace(/^error: /, "")));
    return EXIT.usage;
  }
  return runner.status;
}

interface ChecksOptions {
  args: string[];
  missingMandatoryOptionValue(option: Option): void;
  unknownOption(flag: string): void;
}

/** A misspelt option is called unknown, with the one that was meant, and not the right one missing. */
function tellStrayOptionsFirst(command: Command): void {
  const checks = command as unknown as ChecksOptions;
  const missing = checks.missingMandatoryOptionValue;
  checks.missingMandatoryOptionValue = (option) => {
    const stray = checks.args.find((arg) => /^-./.test(arg));
    if (stray === undefined) missing.call(command, option);
    else checks.unknownOption(stray);
  };
}

/** For options that may be given more than once. */
export function collect(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value];
}
