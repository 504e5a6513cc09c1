/**
 * node --import tsx tools/man-pages.ts FOLDER
 * Writes a man page of section 1 for every command, made of what its help says: `man mikey-sakke-kms-audit`.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "../cli/terminal/version.ts";
import { allCommands, argumentsOf, type CommandAt, optionsOf } from "./commands.ts";

const EXIT_STATUS = new URL("../docs/exit-status.md", import.meta.url);

/** Returns the texts of the pages by the names of their files. */
export function manPages(): Map<string, string> {
  const all = allCommands();
  return new Map(all.map((one) => [`${pageOf(one)}.1`, manPage(one, all)]));
}

const pageOf = ({ name }: CommandAt) => name.replaceAll(" ", "-");

function manPage(one: CommandAt, all: readonly CommandAt[]): string {
  const { command, example, name, path } = one;
  const below = all.filter(
    (other) => other.path.length === path.length + 1 && other.name.startsWith(`${name} `),
  );
  const around = all.find((other) => other.path.join(" ") === path.slice(0, -1).join(" "));
  const list = (entries: readonly (readonly [string, string])[]) =>
    entries.flatMap(([term, about]) => [".TP", `.B ${roff(term)}`, line(about)]);
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [`.SH ${title}`, ...lines];
  const about = path.length === 0 ? "group keys of 3GPP TS 33.180" : command.summary();
  return `${[
    `.TH ${pageOf(one).toUpperCase()} 1 "" "mikey-sakke ${VERSION}" "User Commands"`,
    ...section("NAME", [`${roff(pageOf(one))} \\- ${roff(about)}`]),
    ...section("SYNOPSIS", [`.B ${roff(name)}`, line(command.usage())]),
    ...section("DESCRIPTION", [line(command.description())]),
    ...section("COMMANDS", list(below.map((other) => [pageOf(other), other.command.summary()]))),
    ...section("ARGUMENTS", list(argumentsOf(command))),
    ...section("OPTIONS", list([...optionsOf(command), ["-h, --help", "display help for command"]])),
    ...section("EXIT STATUS", path.length === 0 ? list(exitStatuses()) : []),
    ...section("EXAMPLES", example === undefined ? [] : [".nf", ...example.split("\n").map(line), ".fi"]),
    ...section(
      "SEE ALSO",
      around === undefined || path.length === 0 ? [] : [`.BR ${roff(pageOf(around))} (1)`],
    ),
  ].join("\n")}\n`;
}

/** Reads the statuses and their meanings from docs/exit-status.md. */
function exitStatuses(): [string, string][] {
  const rows = readFileSync(EXIT_STATUS, "utf8").matchAll(/^\| (\d+) \| (.*?) \|/gm);
  return Array.from(rows, ([, status, meaning]) => [status!, meaning!]);
}

/** Escapes a text for a line of its own, where a dot or a quote at the start would be a request to the formatter. */
const line = (text: string): string => roff(text).replace(/^(?=[.'])/, "\\&");

/** Escapes a text, so that hyphens can be copied into a shell and backslashes are shown. */
function roff(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("`", "");
}

if (process.argv[1]?.endsWith("tools/man-pages.ts")) {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error("give the folder for the pages");
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of manPages()) writeFileSync(join(folder, file), text);
}
