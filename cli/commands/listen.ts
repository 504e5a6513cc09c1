/** `listen`: hears a group, or who calls, or watches its video. */
import { type Command, Option } from "commander";
import { type MemberArgs, mcxMemberOptions } from "../device/member-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { integerOption } from "../terminal/options.ts";
import { usageError } from "../terminal/usage.ts";

interface Options extends MemberArgs {
  calls?: true;
  out?: string;
  video?: string;
  seconds?: string;
}

const LONGEST = 24 * 3600;

export function registerListen(program: Command, runner: Runner): void {
  runner.define<[string | undefined], Options>(
    program,
    "listen",
    {
      summary: "write what a group or a caller says into a WAV file, or a group's video into a file",
      description:
        "Join the call of a group at an MCX server and write what is heard, decrypted, into a WAV file, from the first word " +
        "on; silence in between is kept. Ends with Ctrl-C, or after --seconds. Prints who talks. With --calls, wait for a " +
        "private call instead, take the first that comes, and end with it. With --video, join the call with video of the " +
        "group, and write what is sent, decrypted, as a byte stream of H.264 (Annex B), which players read.",
      example:
        "mikey-sakke listen sip:fire@example.org --local --user sip:bob@example.org --out heard.wav --seconds 20\n" +
        "mikey-sakke listen --calls --local --user sip:bob@example.org --out heard.wav\n" +
        "mikey-sakke listen sip:fire@example.org --local --user sip:bob@example.org --video seen.h264 --seconds 20",
    },
    (command) =>
      mcxMemberOptions(command.argument("[group]", "URI of the group"))
        .option("--calls", "take a private call, in place of a group's")
        .option("--out <file>", "WAV file, made anew")
        .addOption(
          new Option("--video <file>", "in place of --out: file of H.264, made anew").conflicts([
            "calls",
            "out",
          ]),
        )
        .option("--seconds <n>", "how long to listen (default: until Ctrl-C)"),
    listen,
  );
}

async function listen(context: Context, options: Options, group: string | undefined): Promise<ExitStatus> {
  const { output } = context;
  if ((group === undefined) !== (options.calls === true)) {
    throw usageError("GROUP_OR_USER", "give a GROUP, or --calls for a private call");
  }
  const { user, out, video } = options;
  if (video !== undefined) return watch(context, options, group!, video);
  if (out === undefined) throw usageError("OUT_OR_VIDEO", "give --out for a WAV file, or --video");
  const { mcxMemberOf, mcxUserOf } = await import("../device/member-of.ts");
  const { answeredLine, groupLine } = await import("../call/line.ts");
  const { hear } = await import("../call/listen.ts");
  const seconds = secondsOf(options);
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
    `${heard.seconds.toFixed(1)} s in ${out}, ${heard.packets} packets decrypted, ${heard.refused} refused`,
  ]);
  return EXIT.accepted;
}

async function watch(
  { output }: Context,
  options: Options,
  group: string,
  video: string,
): Promise<ExitStatus> {
  const { mcxMemberOf } = await import("../device/member-of.ts");
  const { watchInto } = await import("../call/video.ts");
  const { user } = options;
  const member = await mcxMemberOf(group, options, (text) => output.note(text));
  const watched = await watchInto(member, { out: video, seconds: secondsOf(options) }, output, () => {
    output.ready({ event: "watching", group, user, video }, () => [`${user} watches ${group}`]);
  });
  const { packets, refused, units, incomplete } = watched;
  output.ready({ event: "ended", ...watched }, () => [
    `${units} NAL units in ${video}, ${incomplete} incomplete, ${packets} packets decrypted, ${refused} refused`,
  ]);
  return EXIT.accepted;
}

function secondsOf({ seconds }: Options): number | undefined {
  return seconds === undefined ? undefined : integerOption(seconds, "--seconds", 1, LONGEST);
}
