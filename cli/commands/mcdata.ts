/** `mcdata send` and `mcdata receive`: short data of a group. */
import type { Command } from "commander";
import { type MemberArgs, mcxMemberOptions } from "../device/member-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { integerOption } from "../terminal/options.ts";

interface ReceiveOptions extends MemberArgs {
  count?: string;
  seconds?: string;
}

const MOST = 1_000_000;

export function registerMcdata(program: Command, runner: Runner): void {
  const mcdata = program
    .command("mcdata")
    .summary("short data of a group")
    .description("Short data of a group, protected from end to end under its key (TS 33.180 8).");
  runner.define<[string, string], MemberArgs>(
    mcdata,
    "send",
    {
      summary: "send a text to a group",
      description: "Send a text to all members of a group that are bound at the MCX server.",
      example:
        'mikey-sakke mcdata send sip:fire@example.org "north gate" --local --user sip:alice@example.org',
    },
    (command) =>
      mcxMemberOptions(
        command
          .argument("<group>", "URI of the group")
          .argument("<text>", "what to send, up to 60,000 octets"),
      ),
    send,
  );
  runner.define<[string], ReceiveOptions>(
    mcdata,
    "receive",
    {
      summary: "show what is sent to a group",
      description:
        "Show the messages sent to a group until Ctrl-C, --count or --seconds; with --json one line for each.",
      example: "mikey-sakke mcdata receive sip:fire@example.org --local --user sip:bob@example.org --count 1",
    },
    (command) =>
      mcxMemberOptions(command.argument("<group>", "URI of the group"))
        .option("--count <n>", "end after this many messages")
        .option("--seconds <n>", "end after this time; exit status 1 if --count was not reached"),
    receive,
  );
}

async function send(
  { output }: Context,
  options: MemberArgs,
  group: string,
  text: string,
): Promise<ExitStatus> {
  const { mcxMemberOf } = await import("../device/member-of.ts");
  const { sendText } = await import("../device/data.ts");
  await sendText(await mcxMemberOf(group, options, (text) => output.note(text)), text);
  output.result({ status: "sent", group }, () => [`sent to ${group}`]);
  return EXIT.accepted;
}

async function receive({ output }: Context, options: ReceiveOptions, group: string): Promise<ExitStatus> {
  const { mcxMemberOf } = await import("../device/member-of.ts");
  const { receiveTexts } = await import("../device/data.ts");
  const number = (text: string | undefined, name: string) =>
    text === undefined ? undefined : integerOption(text, name, 1, MOST);
  const count = number(options.count, "--count");
  const seconds = number(options.seconds, "--seconds");
  const got = await receiveTexts(
    await mcxMemberOf(group, options, (text) => output.note(text)),
    { count, seconds },
    output,
  );
  return count !== undefined && got < count ? EXIT.refused : EXIT.accepted;
}
