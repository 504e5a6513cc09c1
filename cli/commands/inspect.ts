/** `inspect`: every field of an I_MESSAGE, and what is wrong with it. */
import type { Command } from "commander";
import {
  type Field,
  type InspectedSection,
  inspectMessage,
  type MikeySakkeError,
  toHex,
} from "../../bindings/index.ts";
import type { Context, Runner } from "../command.ts";
import { readInput, STDIN } from "../files.ts";
import { decodeMessageInput, MAX_INPUT, type MessageForm } from "../message-input.ts";
import { EXIT, type ExitStatus, type Json } from "../output.ts";

export function registerInspect(parent: Command, runner: Runner): void {
  runner.define<[string], object>(
    parent,
    "inspect",
    {
      summary: "show every field of an I_MESSAGE",
      description:
        "Show every field of an I_MESSAGE (raw, hexadecimal, base64 or mikey <base64>) with offset, length, value " +
        "and meaning, and what is wrong with it. No keys are needed and no signature is checked.",
      example: "mikey-sakke inspect alice.mikey\nxclip -o | mikey-sakke inspect --json",
    },
    (command) => command.argument("[file]", "message; - or nothing is standard input", STDIN),
    inspect,
  );
}

async function inspect({ output, stdin }: Context, _options: object, file: string): Promise<ExitStatus> {
  const { form, octets } = decodeMessageInput(await readInput(file, stdin, MAX_INPUT));
  const { sections, problems, unread } = inspectMessage(octets);
  const wellFormed = problems.length === 0;
  output.result(
    {
      status: wellFormed ? "ok" : "malformed",
      form,
      octets: octets.length,
      sections: sections.map(sectionJson),
      problems: problems.map(({ check, code, offset, message }) => ({ check, code, offset, message })),
      unread,
    },
    () => [
      heading(octets.length, form),
      ...sections.flatMap(sectionLines),
      ...(unread ? ["", `not read: ${unread.length} octets from offset ${unread.offset}`] : []),
      "",
      ...(wellFormed ? ["well formed"] : ["wrong:", ...problems.map(problemLine)]),
    ],
  );
  return wellFormed ? EXIT.accepted : EXIT.refused;
}

function sectionJson({ name, code, offset, length, fields }: InspectedSection): Json {
  return {
    name,
    code,
    offset,
    length,
    fields: fields.map((field) => ({ ...field, value: valueJson(field.value) })),
  };
}

/** Numbers that JSON carries exactly stay numbers; the others are hexadecimal. */
function valueJson(value: Field["value"]): string | number {
  if (typeof value === "number") return value;
  return typeof value === "bigint" ? `0x${value.toString(16)}` : toHex(value);
}

function heading(length: number, form: MessageForm): string {
  return `MIKEY message, ${length} octets${form === "raw" ? "" : `, given as ${form}`}`;
}

const OCTETS_A_LINE = 32;

/** Columns: offset, length, name, value, meaning; long values go on below. */
function sectionLines({ name, offset, length, fields }: InspectedSection): string[] {
  const width = Math.max(...fields.map((field) => field.name.length), 0);
  const indent = " ".repeat(2 + 5 + 2 + 4 + 2 + width + 2);
  const lines = ["", `${name}, offset ${offset}, ${length} octets`];
  for (const field of fields) {
    const [first = "", ...more] = valueLines(field.value);
    const meaning = field.meaning === undefined ? "" : `  ${field.meaning}`;
    const head = `  ${String(field.offset).padStart(5)}  ${String(field.length).padStart(4)}  ${field.name.padEnd(width)}`;
    // The meaning of a long value stands in front of it, where it is seen.
    if (more.length > 0) lines.push(`${head}${meaning}`, ...[first, ...more].map((line) => indent + line));
    else lines.push(`${head}  ${first}${meaning}`);
  }
  return lines;
}

function valueLines(value: Field["value"]): string[] {
  if (!(value instanceof Uint8Array)) return [String(valueJson(value))];
  return toHex(value).match(new RegExp(`.{1,${2 * OCTETS_A_LINE}}`, "g")) ?? ["(empty)"];
}

function problemLine({ check, code, offset, message }: MikeySakkeError): string {
  return `  check ${check} ${code}${offset === undefined ? "" : ` at offset ${offset}`}: ${message}`;
}
