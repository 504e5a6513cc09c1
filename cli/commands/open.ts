/** `open`: verifies and opens one I_MESSAGE or a folder of them. */
import type { Command } from "commander";
import { defined } from "../../base/defined.ts";
import {
  acceptMessage,
  authoriseAnyoneUnsafe,
  type Core,
  type DeliveredKey,
  formatKeyId,
  KEY_KINDS,
  type KmsCertificate,
  KmsDomain,
  load,
  MikeySakkeError,
  ntpToUnixMs,
  type OpenedMessage,
  parseMessage,
  type Tolerance,
  toHex,
  verifyMessage,
  wipe,
} from "../../bindings/index.ts";
import { formatDateTime } from "../../documents/kms-xml/index.ts";
import { readCertificates, readKeySets, readOwnCertificates } from "../files/kms-files.ts";
import { decodeMessageInput, MAX_INPUT, MESSAGE_EXTENSIONS } from "../files/message-input.ts";
import { Receivers } from "../files/receivers.ts";
import { type Context, collect, type Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { filesIn, isFolder, readInput, STDIN } from "../terminal/files.ts";
import { nextStep } from "../terminal/hints.ts";
import { timeOption, uriOption } from "../terminal/options.ts";
import { describeError, type Json } from "../terminal/output.ts";
import { type TolerateArgs, toleranceOption, tolerateOption } from "../terminal/tolerate.ts";
import { usageError } from "../terminal/usage.ts";

interface Options extends TolerateArgs {
  cert: string;
  keys: string[];
  peerCert?: string[];
  from?: string;
  at: string;
  reveal?: boolean;
}

export type JsonObject = { readonly [key: string]: Json | undefined };

export function registerOpen(parent: Command, runner: Runner): void {
  runner.define<[string], Options>(
    parent,
    "open",
    {
      summary: "verify and open an I_MESSAGE, or a folder of them",
      description:
        "Verify and open an I_MESSAGE (raw, hexadecimal, base64 or mikey <base64>) or each message in a folder. " +
        "Prints the delivered parameters, and the key itself only with --reveal. Anyone who may sign under the KMS is " +
        "accepted as initiator: compare the one printed with the GMS of the group.",
      example:
        "mikey-sakke open --cert kms.xml --keys alice.xml alice.mikey\n" +
        "mikey-sakke open --cert kms.xml --keys alice.xml --from sip:gms@example.org --at 2026-01-31T12:00:00Z old.mikey",
    },
    (command) =>
      tolerateOption(command)
        .argument("[file]", "message or folder; - or nothing is standard input", STDIN)
        .requiredOption("--cert <file>", "certificates of the KMS that issued the keys")
        .requiredOption("--keys <file>", "key sets of the receiver, or a folder; may be repeated", collect)
        .option(
          "--peer-cert <file>",
          "certificates of the initiator's KMS, if another; may be repeated",
          collect,
        )
        .option("--from <uri>", "initiator that the carrier named; needed when the message hides it")
        .option("--at <time>", "reference time instead of now, for old messages", "now")
        .option("--reveal", "print the key"),
    open,
  );
}

async function open({ output, stdin }: Context, options: Options, input: string): Promise<ExitStatus> {
  const folder = await isFolder(input);
  const files = folder ? await filesIn(input, MESSAGE_EXTENSIONS) : [input];
  if (files.length === 0) {
    throw usageError("NO_MESSAGE", `${input}: no message inside (${MESSAGE_EXTENSIONS.join(", ")})`);
  }
  const now = timeOption(options.at, "--at");
  const tolerance = toleranceOption(options);
  const from = options.from === undefined ? undefined : uriOption(options.from, "--from");
  const { own, others } = await readOwnCertificates(options.cert, "--cert");
  const peers = await readCertificates(options.peerCert ?? [], "--peer-cert");
  const keySets = await readKeySets(options.keys, own, "--keys");

  const core = await load();
  const domains: KmsDomain[] = [];
  let receivers: Receivers | undefined;
  const results: JsonObject[] = [];
  const progress = folder ? output.progress("opening", files.length) : undefined;
  try {
    // As for a client: other KMSs of the cache vouch for whom the KMS that keys us permits. --peer-cert is a permission.
    const limited = others.map((certificate) => ({ kmsDomains: [], ...certificate }));
    loadDomains(core, [...own, ...limited, ...peers], domains);
    receivers = new Receivers(domains, keySets);
    for (const file of files) {
      const octets = await readInput(file, stdin, MAX_INPUT);
      results.push({
        file,
        ...(await openOne(octets, receivers, { now, from, tolerance, reveal: options.reveal === true })),
      });
      progress?.update(results.length);
    }
  } finally {
    progress?.end();
    receivers?.destroy();
    for (const domain of domains) domain.destroy();
    for (const { rsk, ssk } of keySets) wipe(rsk, ssk);
    core.destroy();
  }

  const accepted = results.filter((result) => result.status === "accepted").length;
  const refused = results.length - accepted;
  const status = refused === 0 ? "accepted" : "refused";
  output.result(folder ? { status, accepted, refused, messages: results } : results[0]!, () =>
    folder
      ? [...results.flatMap(summary), `${accepted} accepted, ${refused} refused`, ...hintsOf(results)]
      : details(results[0]!),
  );
  return refused === 0 ? EXIT.accepted : EXIT.refused;
}

export function loadDomains(core: Core, certificates: readonly KmsCertificate[], into: KmsDomain[]): void {
  for (const certificate of certificates) into.push(KmsDomain.load(core, certificate));
}

interface Settings {
  /** Gets the delivered key, and destroys it. The key is destroyed at once when absent. */
  keep?: (key: DeliveredKey) => void;
  now: number;
  from: string | undefined;
  tolerance: Tolerance;
  reveal: boolean;
}

export async function openOne(
  octets: Uint8Array,
  receivers: Receivers,
  settings: Settings,
): Promise<JsonObject> {
  try {
    const { tolerance } = settings;
    const message = parseMessage(decodeMessageInput(octets).octets, { tolerance });
    const verified = await verifyMessage(message, {
      receiver: receivers.receiverFor(message),
      state: receivers.stateFor(message),
      now: settings.now,
      allow: KEY_KINDS,
      authorise: authoriseAnyoneUnsafe,
      tolerance,
      ...defined({ from: settings.from }),
    });
    return describe(await acceptMessage(verified), settings);
  } catch (error) {
    // Faults of the call are those of every message; only refusals belong to this one.
    if (!(error instanceof MikeySakkeError) || error.kind === "usage") throw error;
    return { ...describeError(error), next: nextStep(error) };
  }
}

function describe(opened: OpenedMessage, { reveal, keep }: Settings): JsonObject {
  const { kind, keyId, initiator, recipient, parameters } = opened;
  const common = {
    keyKind: kind,
    keyId: formatKeyId(keyId),
    initiator: { uri: initiator.uri, kmsUri: initiator.kmsUri },
    recipient: { uri: recipient.uri, kmsUri: recipient.kmsUri, role: recipient.role },
    time: formatDateTime(ntpToUnixMs(opened.time)),
    text: parameters?.text,
    groups: parameters?.groups.map((group) => group.uri),
    sharedWithGateway: parameters?.sharedWithGateway,
  };
  if (opened.outcome === "revoked") {
    return {
      status: "revoked",
      check: opened.check,
      code: opened.code,
      message: "the key was revoked",
      ...common,
    };
  }
  try {
    return {
      status: "accepted",
      ...common,
      ukId: formatKeyId(opened.key.ukId),
      rand: toHex(opened.key.rand),
      activation: formatDateTime(opened.activation),
      expiry: opened.expiry === undefined ? undefined : formatDateTime(opened.expiry),
      key: reveal ? toHex(opened.key.reveal()) : undefined,
    };
  } finally {
    if (keep === undefined) opened.key.destroy();
    else keep(opened.key);
  }
}

function summary(result: JsonObject): string[] {
  if (result.status === "accepted") {
    return [`accepted  ${result.file}  ${result.keyKind} ${result.keyId} for ${uriOf(result.recipient)}`];
  }
  return [`${String(result.status).padEnd(8)}  ${result.file}  ${refusalOf(result)}`];
}

/** Returns what to do about the refused ones, each once. */
function hintsOf(results: readonly JsonObject[]): string[] {
  return [...new Set(results.flatMap(({ next }) => (next === undefined ? [] : [`  ${next}`])))];
}

export function details(result: JsonObject): string[] {
  const lines = [result.status === "accepted" ? "accepted" : `${result.status}: ${refusalOf(result)}`];
  if (result.next !== undefined) lines.push(`  ${result.next}`);
  const row = (name: string, value: Json | undefined) => {
    if (value !== undefined && value !== "") lines.push(`  ${name.padEnd(12)}${value}`);
  };
  if (result.keyKind === undefined) return lines;
  row("key kind", result.keyKind);
  row(`${result.keyKind}-ID`, result.keyId);
  if (result.keyKind === "GMK") row("GUK-ID", result.ukId);
  row("initiator", uriOf(result.initiator) ?? "hidden, and not named");
  row("its KMS", (result.initiator as JsonObject).kmsUri);
  row("opened as", uriOf(result.recipient));
  row("sent", result.time);
  row("activation", result.activation);
  row("expiry", result.status === "accepted" ? (result.expiry ?? "never") : undefined);
  row("text", result.text);
  row("groups", (result.groups as string[] | undefined)?.join(", "));
  row("gateway", result.sharedWithGateway === true ? "shared with a security gateway" : undefined);
  row("RAND", result.rand);
  row("key", result.key ?? (result.status === "accepted" ? "not shown without --reveal" : undefined));
  return lines;
}

function uriOf(party: Json | undefined): Json | undefined {
  return (party as JsonObject).uri;
}

function refusalOf(result: JsonObject): string {
  const check = result.check === undefined ? "" : `check ${result.check} `;
  return `${check}${result.code}: ${result.message}`;
}
