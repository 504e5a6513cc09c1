/** `talk`: says something to a group or a user. */
import { type Command, Option } from "commander";
import { defined } from "../../base/defined.ts";
import type { OpenLine } from "../call/line.ts";
import { SPEECH, type Speech } from "../call/speech.ts";
import { type MemberArgs, mcxMemberOptions } from "../device/member-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { integerOption, uriOption } from "../terminal/options.ts";
import { usageError } from "../terminal/usage.ts";

interface Options extends MemberArgs {
  to?: string;
  wav?: string;
  tone: string;
  seconds: string;
  speech: Speech;
  video?: string;
  fps: string;
  priority: string;
  wait: string;
}

const LONGEST = 3600;

export function registerTalk(program: Command, runner: Runner): void {
  runner.define<[string | undefined], Options>(
    program,
    "talk",
    {
      summary: "say a WAV file or a tone to a group or a user, or send video to a group",
      description:
        "Join the call of a group at an MCX server, request the floor, and send a WAV file or a tone, protected under the key " +
        "of the group. Others hear it with listen. With --to, call one user instead, under a key that only the two have; " +
        "they hear it with listen --calls. With --video, join the call with video of the group and send a file of H.264, " +
        "which others watch with listen --video.",
      example:
        "mikey-sakke talk sip:fire@example.org --local --user sip:alice@example.org --wav order.wav\n" +
        "mikey-sakke talk sip:fire@example.org --local --user sip:alice@example.org --tone 440 --seconds 3\n" +
        "mikey-sakke talk --to sip:bob@example.org --local --user sip:alice@example.org --tone 440 --seconds 3\n" +
        "mikey-sakke talk sip:fire@example.org --local --user sip:alice@example.org --video street.h264 --fps 25",
    },
    (command) =>
      mcxMemberOptions(command.argument("[group]", "URI of the group"))
        .option("--to <uri>", "user to call, in place of a group")
        .option("--wav <file>", "file to send: PCM of 8 or 16 bits, any rate; - is standard input")
        .option("--tone <hz>", "without --wav: a tone", "440")
        .option("--seconds <n>", "how long the tone is", "3")
        .addOption(
          new Option("--speech <format>", "format of a call that this begins")
            .choices(SPEECH)
            .default("g711"),
        )
        .addOption(
          new Option(
            "--video <file>",
            "in place of speech: byte stream of H.264 (Annex B); - is standard input",
          ).conflicts(["to", "wav"]),
        )
        .option("--fps <n>", "pictures of the video in a second", "25")
        .option("--priority <n>", "priority of the floor request, 0 to 255", "0")
        .option("--wait <n>", "seconds to wait for the floor", "30"),
    talk,
  );
}

async function talk(context: Context, options: Options, group: string | undefined): Promise<ExitStatus> {
  const { output, stdin } = context;
  const { to, video } = options;
  if ((group === undefined) === (to === undefined)) {
    throw usageError("GROUP_OR_USER", "give a GROUP, or a user with --to");
  }
  if (video !== undefined) return show(context, options, group!, video);
  const { samplesOf, sayTo } = await import("../call/talk.ts");
  const seconds = integerOption(options.seconds, "--seconds", 1, LONGEST);
  const hertz = integerOption(options.tone, "--tone", 50, 3800);
  const samples = await samplesOf({ wav: options.wav, hertz, seconds }, stdin);
  if (samples.length === 0) throw usageError("BAD_WAV", `${options.wav}: nothing to say`);
  const said = await sayTo(await lineOf(group, options, (text) => output.note(text)), samples, {
    speech: options.speech,
    priority: integerOption(options.priority, "--priority", 0, 255),
    waitMs: 1000 * integerOption(options.wait, "--wait", 1, LONGEST),
    note: (text) => output.note(text),
  });
  if ("lost" in said) {
    const { lost, cause } = said;
    output.result({ status: "refused", reason: lost, ...defined({ cause }) }, () => [
      `the floor was not to be had: ${lost}${cause === undefined ? "" : ` (${cause})`}`,
    ]);
    return EXIT.refused;
  }
  const { frames } = said;
  const length = frames / 50;
  output.result({ status: "said", ...defined({ group, to }), frames, seconds: length }, () => [
    `said ${length.toFixed(1)} s to ${group ?? to}`,
  ]);
  return EXIT.accepted;
}

async function show(
  { output, stdin }: Context,
  options: Options,
  group: string,
  video: string,
): Promise<ExitStatus> {
  const { mcxMemberOf } = await import("../device/member-of.ts");
  const { picturesOf, showTo } = await import("../call/video.ts");
  const perSecond = integerOption(options.fps, "--fps", 1, 120);
  const note = (text: string) => output.note(text);
  const shown = await showTo(await mcxMemberOf(group, options, note), await picturesOf(video, stdin), {
    priority: integerOption(options.priority, "--priority", 0, 255),
    waitMs: 1000 * integerOption(options.wait, "--wait", 1, LONGEST),
    perSecond,
    note,
  });
  if ("lost" in shown) {
    const { lost, cause } = shown;
    output.result({ status: "refused", reason: lost, ...defined({ cause }) }, () => [
      `transmission was not to be had: ${lost}${cause === undefined ? "" : ` (${cause})`}`,
    ]);
    return EXIT.refused;
  }
  const { pictures, packets } = shown;
  output.result({ status: "sent", group, pictures, packets }, () => [
    `sent ${pictures} pictures to ${group}, in ${packets} packets`,
  ]);
  return EXIT.accepted;
}

async function lineOf(
  group: string | undefined,
  options: Options,
  note: (text: string) => void,
): Promise<OpenLine> {
  const { mcxMemberOf, mcxUserOf } = await import("../device/member-of.ts");
  const { groupLine, userLine } = await import("../call/line.ts");
  if (group !== undefined) return groupLine(await mcxMemberOf(group, options, note));
  return userLine(await mcxUserOf(options, note), uriOption(options.to!, "--to"));
}
