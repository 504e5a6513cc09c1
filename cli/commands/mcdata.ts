/** `mcdata send` and `mcdata receive`: short data and files of a group. */
import { basename } from "node:path";
import type { Command } from "commander";
import { defined, ifDefined } from "../../base/defined.ts";
import { filesUrlOption, type MemberArgs, mcxMemberOptions } from "../device/member-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { durationOption } from "../terminal/durations.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { integerOption, serviceIdOption } from "../terminal/options.ts";
import { usageError } from "../terminal/usage.ts";

interface SendOptions extends MemberArgs {
  to?: string;
  file?: string;
  mediaType: string;
  notices?: string;
}

interface ReceiveOptions extends MemberArgs {
  count?: string;
  seconds?: string;
  files?: string;
}

const MOST = 1_000_000;

export function registerMcdata(program: Command, runner: Runner): void {
  const mcdata = program
    .command("mcdata")
    .summary("short data and files of a group")
    .description("Short data and files of a group, protected from end to end under its key (TS 33.180 8).");
  runner.define<[string | undefined, string | undefined], SendOptions>(
    mcdata,
    "send",
    {
      summary: "send a text or a file to a group",
      description:
        "Send a text or a file to all members of a group that are bound at the MCX server, or a file to one user.",
      example:
        'mikey-sakke mcdata send sip:fire@example.org "north gate" --local --user sip:alice@example.org',
    },
    (command) =>
      filesUrlOption(
        mcxMemberOptions(
          command
            .argument("[group]", "URI of the group")
            .argument("[text]", "what to send, up to 60,000 octets"),
        ),
      )
        .option("--to <uri>", "send to this user, in place of a group, under a key that only the two have")
        .option("--file <file>", "send this file in place of a text")
        .option("--media-type <type>", "what the file is", "application/octet-stream")
        .option(
          "--notices <span>",
          "wait so long for the names of members whom the text does not reach, such as 5s",
        ),
    send,
  );
  runner.define<[string | undefined], ReceiveOptions>(
    mcdata,
    "receive",
    {
      summary: "show what is sent to a group",
      description:
        "Show the messages and files sent to a group, or without a group the files sent to the user alone, until " +
        "Ctrl-C, --count or --seconds; with --json one line for each.",
      example: "mikey-sakke mcdata receive sip:fire@example.org --local --user sip:bob@example.org --count 1",
    },
    (command) =>
      filesUrlOption(mcxMemberOptions(command.argument("[group]", "URI of the group")))
        .option("--files <dir>", "store the files that come in this folder")
        .option("--count <n>", "end after this many messages and files")
        .option("--seconds <n>", "end after this time; exit status 1 if --count was not reached"),
    receive,
  );
}

async function send(
  { output }: Context,
  options: SendOptions,
  group: string | undefined,
  text: string | undefined,
): Promise<ExitStatus> {
  const { file, mediaType, to } = options;
  if ((group === undefined) === (to === undefined)) {
    throw usageError("GROUP_OR_USER", "give either a group or --to");
  }
  if ((text === undefined) === (file === undefined)) {
    throw usageError("TEXT_OR_FILE", "give either a text or --file");
  }
  if (options.notices !== undefined && text === undefined) {
    throw usageError("TEXT_OR_FILE", "--notices goes with a text");
  }
  const { mcxMemberOf, mcxUserOf } = await import("../device/member-of.ts");
  const { sendFile, sendFileTo, sendText } = await import("../device/data.ts");
  const note = (text: string) => output.note(text);
  if (text !== undefined) {
    const { notices } = options;
    const noticesMs = ifDefined(notices, durationOption, "--notices");
    const undelivered = await sendText(await mcxMemberOf(group!, options, note), text, noticesMs);
    output.result({ status: "sent", group, ...(notices !== undefined && { undelivered }) }, () => [
      `sent to ${group}`,
      ...undelivered.map((user) => `not delivered to ${user}`),
    ]);
    return EXIT.accepted;
  }
  const { MAX_FILE_BYTES } = await import("../../bindings/mcdata/index.ts");
  const { readFile } = await import("../terminal/files.ts");
  const name = basename(file!);
  const data = await readFile(file!, MAX_FILE_BYTES);
  const sent = { name, mediaType, data };
  if (to !== undefined) await sendFileTo(await mcxUserOf(options, note), serviceIdOption(to, "--to"), sent);
  else await sendFile(await mcxMemberOf(group!, options, note), sent);
  output.result({ status: "sent", ...defined({ group, to }), file: name, bytes: data.length }, () => [
    `${name} sent to ${group ?? to}`,
  ]);
  return EXIT.accepted;
}

async function receive(
  { output }: Context,
  options: ReceiveOptions,
  group: string | undefined,
): Promise<ExitStatus> {
  const { mcxMemberOf, mcxUserOf } = await import("../device/member-of.ts");
  const { receiveData } = await import("../device/data.ts");
  const number = (text: string | undefined, name: string) =>
    text === undefined ? undefined : integerOption(text, name, 1, MOST);
  const count = number(options.count, "--count");
  const seconds = number(options.seconds, "--seconds");
  const note = (text: string) => output.note(text);
  const got = await receiveData(
    group === undefined ? await mcxUserOf(options, note) : await mcxMemberOf(group, options, note),
    { count, seconds, folder: options.files },
    output,
  );
  return count !== undefined && got < count ? EXIT.refused : EXIT.accepted;
}
