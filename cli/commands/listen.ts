/** `listen`: hears a group, or who calls. */
import type { Command } from "commander";
import { type MemberArgs, mcxMemberOptions } from "../device/member-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { integerOption } from "../terminal/options.ts";
import { usageError } from "../terminal/usage.ts";

interface Options extends MemberArgs {
  calls?: true;
  out: string;
  seconds?: string;
}

const LONGEST = 24 * 3600;

export function registerListen(program: Command, runner: Runner): void {
  runner.define<[string | undefined], Options>(
    program,
    "listen",
    {
      summary: "write what a group or a caller says into a WAV file",
      description:
        "Join the call of a group at an MCX server and write what is heard, decrypted, into a WAV file, from the first word " +
        "on; silence in between is kept. Ends with Ctrl-C, or after --seconds. Prints who talks. With --calls, wait for a " +
        "private call instead, take the first that comes, and end with it.",
      example:
        "mikey-sakke listen sip:fire@example.org --local --user sip:bob@example.org --out heard.wav --seconds 20\n" +
        "mikey-sakke listen --calls --local --user sip:bob@example.org --out heard.wav",
    },
    (command) =>
      mcxMemberOptions(command.argument("[group]", "URI of the group"))
        .option("--calls", "take a private call, in place of a group's")
        .requiredOption("--out <file>", "WAV file, made anew")
        .option("--seconds <n>", "how long to listen (default: until Ctrl-C)"),
    listen,
  );
}

async function listen({ output }: Context, options: Options, group: string | undefined): Promise<ExitStatus> {
  if ((group === undefined) !== (options.calls === true)) {
    throw usageError("GROUP_OR_USER", "give a GROUP, or --calls for a private call");
  }
  const { mcxMemberOf, mcxUserOf } = await import("../device/member-of.ts");
  const { answeredLine, groupLine } = await import("../call/line.ts");
  const { hear } = await import("../call/listen.ts");
  const seconds =
    options.seconds === undefined ? undefined : integerOption(options.seconds, "--seconds", 1, LONGEST);
  const { user, out } = options;
  const note = (text: string) => output.note(text);
  const line =
    group === undefined
      ? answeredLine(await mcxUserOf(options, note), {
          waiting: () => output.ready({ event: "waiting", user }, () => [`${user} waits for a call`]),
          begun: (from) => output.ready({ event: "call", from, user, out }, () => [`${from} calls ${user}`]),
        })
      : groupLine(await mcxMemberOf(group, options, note));
  const heard = await hear(line, { out, seconds }, output, () => {
    if (group === undefined) return;
    output.ready({ event: "listening", group, user, out }, () => [`${user} listens to ${group}`]);
  });
  output.ready({ event: "ended", ...heard }, () => [
    `${heard.seconds.toFixed(1)} s in ${options.out}, ${heard.packets} packets decrypted, ${heard.refused} refused`,
  ]);
  return EXIT.accepted;
}
