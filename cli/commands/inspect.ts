/** `inspect`: every field of an I_MESSAGE and what is wrong with it, or what a capture, SIP message or document holds. */
import type { Command } from "commander";
import { wipe } from "../../base/bytes.ts";
import { load } from "../../bindings/core/core.ts";
import { ntpToUnixMs } from "../../bindings/identity/ntp.ts";
import {
  type DeliveredKey,
  type Field,
  type InspectedSection,
  inspectMessage,
  type KeyId,
  type KmsDomain,
  MikeySakkeError,
  parseMessage,
  type Tolerance,
  toHex,
} from "../../bindings/index.ts";
import { readKeySets, readOwnCertificates } from "../files/kms-files.ts";
import type { MessageForm, MessageInput } from "../files/message-input.ts";
import { Receivers } from "../files/receivers.ts";
import type { CapturedFrame } from "../inspect/capture.ts";
import type { Content } from "../inspect/content.ts";
import { decryptCapture } from "../inspect/decrypted-capture.ts";
import { type Found, lookInto } from "../inspect/look-into.ts";
import { type Context, collect, type Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { readInput, requireAbsent, STDIN, writeOutput } from "../terminal/files.ts";
import { uriOption } from "../terminal/options.ts";
import type { Json, Output } from "../terminal/output.ts";
import { type TolerateArgs, toleranceOption, tolerateOption } from "../terminal/tolerate.ts";
import { usageError } from "../terminal/usage.ts";
import { details, type JsonObject, loadDomains, openOne } from "./open.ts";

interface Options extends TolerateArgs {
  cert?: string;
  keys?: string[];
  from?: string;
  reveal?: boolean;
  wireshark?: string;
}

/** Octets of a capture file. */
const MAX_CAPTURE = 64 << 20;

export function registerInspect(parent: Command, runner: Runner): void {
  runner.define<[string], Options>(
    parent,
    "inspect",
    {
      summary: "show what is in an I_MESSAGE, a SIP message or a capture",
      description:
        "Show every field of an I_MESSAGE (raw, hexadecimal, base64 or mikey <base64>) with offset, length, value " +
        "and meaning, and what is wrong with it. Takes SIP messages, multipart bodies, session descriptions, XML " +
        "documents, captures (pcap and pcapng) and hex dumps as well: says what each is, and inspects the I_MESSAGEs " +
        "inside. With --cert and --keys each is verified and opened, at the time of its T. --wireshark writes a capture " +
        "again with the media under these GMKs decrypted.",
      example:
        "mikey-sakke inspect alice.mikey\nxclip -o | mikey-sakke inspect --json\n" +
        "mikey-sakke inspect plugtest.pcapng --cert kms.xml --keys alice.xml --wireshark clear.pcap",
    },
    (command) =>
      tolerateOption(command.argument("[file]", "what to look into; - or nothing is standard input", STDIN))
        .option("--cert <file>", "certificates of the KMS that issued the keys")
        .option("--keys <file>", "key sets of receivers, or a folder; may be repeated", collect)
        .option("--from <uri>", "initiator that the carrier named; needed when a message hides it")
        .option("--reveal", "print the keys that were delivered")
        .option(
          "--wireshark <file>",
          "write the capture with its media decrypted, to be read by its owner only",
        ),
    inspect,
  );
}

async function inspect({ output, stdin }: Context, options: Options, file: string): Promise<ExitStatus> {
  const { wireshark } = options;
  if (wireshark !== undefined) await requireAbsent([wireshark], false);
  const input = await readInput(file, stdin, MAX_CAPTURE);
  const found = lookInto(input);
  const opener = await openerOf(options);
  try {
    if (wireshark !== undefined && (opener === undefined || found.message !== undefined || !found.frames)) {
      throw usageError(
        "NOT_A_CAPTURE",
        "--wireshark needs a capture, and the keys to open it: --cert and --keys",
      );
    }
    if (found.message !== undefined) return await showMessage(found.message, options, opener, output);
    return await showContents(found, options, opener, output);
  } finally {
    opener?.destroy();
  }
}

interface Shown {
  readonly json: JsonObject;
  readonly lines: readonly string[];
  readonly sound: boolean;
}

async function showMessage(
  { form, octets }: MessageInput,
  options: Options,
  opener: Opener | undefined,
  output: Output,
): Promise<ExitStatus> {
  const { json, lines, sound } = await shown(octets, options, opener);
  const { status, ...rest } = json;
  output.result({ status, form, octets: octets.length, ...rest }, () => [
    heading(octets.length, form),
    ...lines,
  ]);
  return sound ? EXIT.accepted : EXIT.refused;
}

async function shown(octets: Uint8Array, options: Options, opener: Opener | undefined): Promise<Shown> {
  const { sections, problems, unread } = inspectMessage(octets, { tolerance: toleranceOption(options) });
  const wellFormed = problems.length === 0;
  const opened = await opener?.open(octets);
  return {
    json: {
      status: wellFormed ? "ok" : "malformed",
      sections: sections.map(sectionJson),
      problems: problems.map(({ check, code, offset, message }) => ({ check, code, offset, message })),
      unread,
      opened,
    },
    lines: [
      ...sections.flatMap(sectionLines),
      ...(unread ? ["", `not read: ${unread.length} octets from offset ${unread.offset}`] : []),
      "",
      ...(wellFormed ? ["well formed"] : ["wrong:", ...problems.map(problemLine)]),
      ...(opened === undefined ? [] : details(opened)),
    ],
    sound: wellFormed && (opened === undefined || opened.status !== "refused"),
  };
}

/** Writes the capture to the file of --wireshark; undefined without one. */
async function writeDecrypted(
  frames: readonly CapturedFrame[] = [],
  { wireshark }: Options,
  opener: Opener | undefined,
): Promise<{ json: JsonObject; line: string } | undefined> {
  if (wireshark === undefined || opener === undefined) return undefined;
  const { octets, decrypted, packets } = await decryptCapture(frames, opener.groupKeys);
  await writeOutput(wireshark, octets, { secret: true });
  return {
    json: { file: wireshark, packets, decrypted },
    line: `${wireshark}: ${packets} packets, of which ${decrypted} were SRTP and are RTP now`,
  };
}

async function showContents(
  { form, contents, frames }: Extract<Found, { contents: unknown }>,
  options: Options,
  opener: Opener | undefined,
  output: Output,
): Promise<ExitStatus> {
  let sound = true;
  const lines: string[] = [];
  const show = async (content: Content, depth: number): Promise<JsonObject> => {
    const indent = "  ".repeat(depth);
    lines.push(`${indent}${content.what}`, ...content.details.map((detail) => `${indent}  ${detail}`));
    let message: JsonObject | undefined;
    if (content.message !== undefined) {
      const one = await shown(content.message, options, opener);
      message = one.json;
      lines.push(...one.lines.map((line) => (line === "" ? "" : `${indent}  ${line}`)));
      sound &&= one.sound;
    }
    const parts: JsonObject[] = [];
    for (const part of content.parts) parts.push(await show(part, depth + 1));
    return { what: content.what, details: content.details, message, parts };
  };
  const shownContents: JsonObject[] = [];
  for (const content of contents) shownContents.push(await show(content, 0));
  if (lines.length === 0) lines.push(`${form}: nothing that is known here`);
  const written = await writeDecrypted(frames, options, opener);
  if (written !== undefined) lines.push("", written.line);
  const json = {
    status: sound ? "ok" : "malformed",
    form,
    contents: shownContents,
    decrypted: written?.json,
  };
  output.result(json, () => lines);
  return sound ? EXIT.accepted : EXIT.refused;
}

interface Opener {
  open(octets: Uint8Array): Promise<JsonObject>;
  /** The GMKs of the messages that were opened. */
  readonly groupKeys: ReadonlyMap<KeyId, DeliveredKey>;
  destroy(): void;
}

/** Undefined without keys. Usage error BAD_CALL. */
async function openerOf(options: Options): Promise<Opener | undefined> {
  const { cert, keys } = options;
  if (cert === undefined && keys === undefined) return undefined;
  if (cert === undefined || keys === undefined) throw usageError("BAD_CALL", "--cert and --keys go together");
  const from = options.from === undefined ? undefined : uriOption(options.from, "--from");
  const { own, others } = await readOwnCertificates(cert, "--cert");
  const keySets = await readKeySets(keys, own, "--keys");
  const core = await load();
  const domains: KmsDomain[] = [];
  const limited = others.map((certificate) => ({ kmsDomains: [], ...certificate }));
  let receivers: Receivers | undefined;
  const groupKeys = new Map<KeyId, DeliveredKey>();
  const keep = (key: DeliveredKey) => {
    if (key.kind === "GMK" && !groupKeys.has(key.keyId)) groupKeys.set(key.keyId, key);
    else key.destroy();
  };
  const destroy = () => {
    for (const key of groupKeys.values()) key.destroy();
    receivers?.destroy();
    for (const domain of domains) domain.destroy();
    for (const { rsk, ssk } of keySets) wipe(rsk, ssk);
    core.destroy();
  };
  try {
    loadDomains(core, [...own, ...limited], domains);
    receivers = new Receivers(domains, keySets);
  } catch (error) {
    destroy();
    throw error;
  }
  const ready = receivers;
  const tolerance = toleranceOption(options);
  // A capture has what was sent twice twice, which is no replay here.
  const opened = new Map<string, JsonObject>();
  return {
    async open(octets) {
      const name = toHex(octets);
      const before = opened.get(name);
      if (before !== undefined) return before;
      const reveal = options.reveal === true;
      const settings = { now: timeOf(octets, tolerance), from, tolerance, reveal, keep };
      const result = await openOne(octets, ready, settings);
      opened.set(name, result);
      return result;
    },
    groupKeys,
    destroy,
  };
}

/** T of the message; what has none is refused before the time counts. */
function timeOf(octets: Uint8Array, tolerance: Tolerance): number {
  try {
    return ntpToUnixMs(parseMessage(octets, { tolerance }).time);
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
    return 0;
  }
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
