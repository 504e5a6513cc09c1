/** `listen`: hears a group. */
import type { Command } from "commander";
import { type MemberArgs, mcxMemberOptions } from "../device/member-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { integerOption } from "../terminal/options.ts";

interface Options extends MemberArgs {
  out: string;
  seconds?: string;
}

const LONGEST = 24 * 3600;

export function registerListen(program: Command, runner: Runner): void {
  runner.define<[string], Options>(
    program,
    "listen",
    {
      summary: "write what a group says into a WAV file",
      description:
        "Join the call of a group at an MCX server and write what is heard, decrypted, into a WAV file, from the first word " +
        "on; silence in between is kept. Ends with Ctrl-C, or after --seconds. Prints who talks.",
      example:
        "mikey-sakke listen sip:fire@example.org --local --user sip:bob@example.org --out heard.wav --seconds 20",
    },
    (command) =>
      mcxMemberOptions(command.argument("<group>", "URI of the group"))
        .requiredOption("--out <file>", "WAV file, made anew")
        .option("--seconds <n>", "how long to listen (default: until Ctrl-C)"),
    listen,
  );
}

async function listen({ output }: Context, options: Options, group: string): Promise<ExitStatus> {
  const { mcxMemberOf } = await import("../device/member-of.ts");
  const { hear } = await import("../call/listen.ts");
  const seconds =
    options.seconds === undefined ? undefined : integerOption(options.seconds, "--seconds", 1, LONGEST);
  const heard = await hear(
    await mcxMemberOf(group, options, (text) => output.note(text)),
    { out: options.out, seconds },
    output,
  );
  output.ready({ event: "ended", ...heard }, () => [
    `${heard.seconds.toFixed(1)} s in ${options.out}, ${heard.packets} packets decrypted, ${heard.refused} refused`,
  ]);
  return EXIT.accepted;
}
