/** `seal`: a new GMK for a group, one I_MESSAGE for each member, and a manifest. */
import { join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Command } from "commander";
import {
  destroyPlan,
  formatKeyId,
  groupIds,
  Initiator,
  KmsDomain,
  load,
  ntpToUnixMs,
  planSeal,
  type SealedMessage,
  type SealPlan,
  sealGroup,
  systemRandom,
  toHex,
  wipe,
} from "../../bindings/index.ts";
import { formatDateTime } from "../../documents/kms-xml/index.ts";
import { readCertificates, readKeySets, readOwnCertificates } from "../files/kms-files.ts";
import { MESSAGE_EXTENSION } from "../files/message-input.ts";
import { type Context, collect, type Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { fileNameOf, requireAbsent, writeOutput } from "../terminal/files.ts";
import { memberListFile, requireDistinct, serviceIdOption, timeOption } from "../terminal/options.ts";
import { counted, type Json } from "../terminal/output.ts";
import { usageError } from "../terminal/usage.ts";

interface Options {
  cert: string;
  peerCert?: string[];
  keys: string;
  group: string;
  members: string;
  out: string;
  activation?: string;
  expiry?: string;
  text?: string;
  hideIdentities?: boolean;
  toSelf?: boolean;
  force?: boolean;
}

const MANIFEST = "manifest.json";

export function registerSeal(parent: Command, runner: Runner): void {
  runner.define<[], Options>(
    parent,
    "seal",
    {
      summary: "seal a new GMK to the members of a group",
      description:
        "Seal a new GMK to the members of a group: one I_MESSAGE in a file for each member, and manifest.json, " +
        "which has no secrets. The GMK itself is not kept; --to-self lets the GMS open the messages later.",
      example:
        "mikey-sakke seal --cert kms.xml --keys gms.xml --group sip:fire@example.org \\\n" +
        "  --members members.txt --out sealed --expiry 2026-12-31",
    },
    (command) =>
      command
        .requiredOption("--cert <file>", "certificates of the KMS of the GMS")
        .requiredOption("--keys <file>", "key sets of the GMS, for the key period of now")
        .option("--peer-cert <file>", "certificates of other KMSs of members; may be repeated", collect)
        .requiredOption("--group <uri>", "group that the key is for")
        .requiredOption(
          "--members <file>",
          "file with one member URI per line, followed by its KmsUri if it has another KMS; - is standard input",
        )
        .requiredOption("--out <dir>", "folder for the messages and the manifest")
        .option("--activation <time>", "when senders start to use the key (default: at once)")
        .option("--expiry <time>", "when the key expires (default: never)")
        .option("--text <text>", "name of the key for people")
        .option("--hide-identities", "send UIDs instead of URIs (TS 33.180 5.2.6)")
        .option("--to-self", "encapsulate to the GMS as well (TS 33.180 5.2.5)")
        .option("--force", "replace files that exist"),
    seal,
  );
}

async function seal({ output, stdin }: Context, options: Options): Promise<ExitStatus> {
  const now = Date.now();
  const group = serviceIdOption(options.group, "--group");
  const { activation, expiry } = keyLife(options, now);
  const force = options.force === true;
  const members = await memberListFile(options.members, stdin, "--members");
  requireDistinct(
    members.map(({ uri }) => uri),
    "--members",
  );
  await requireAbsent([join(options.out, MANIFEST)], force);
  const { own, others } = await readOwnCertificates(options.cert, "--cert");
  const peers = await readCertificates(options.peerCert ?? [], "--peer-cert");
  const keySets = await readKeySets([options.keys], own, "--keys");

  const core = await load();
  const domains: KmsDomain[] = [];
  let initiator: Initiator | undefined;
  let plan: SealPlan | undefined;
  const progress = output.progress("sealing", members.length);
  try {
    for (const certificate of [...own, ...others, ...peers]) domains.push(KmsDomain.load(core, certificate));
    initiator = Initiator.load(domains.slice(0, own.length), keySets);
    plan = planSeal(
      {
        kind: "GMK",
        members,
        parameters: { activation, expiry, text: options.text ?? "", groups: groupIds([group]) },
        hideInitiator: options.hideIdentities === true,
        hideResponder: options.hideIdentities === true,
        toSelf: options.toSelf === true,
      },
      { initiator, random: systemRandom, now },
    );
    const entries: Json[] = [];
    for await (const batch of sealGroup(plan, { initiator, domains, random: systemRandom })) {
      for (const message of batch) entries.push(await writeMessage(message, options.out, force));
      progress.update(entries.length);
    }
    progress.end();
    const manifest = {
      ...describePlan(plan, group),
      text: options.text,
      messages: entries,
    };
    await writeOutput(join(options.out, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { force });
    output.result({ status: "ok", out: options.out, ...manifest }, () => [
      `GMK-ID ${manifest.gmkId} for ${group}, by ${manifest.initiator}`,
      `${counted(entries.length, "message")} and ${MANIFEST} in ${options.out}`,
    ]);
    return EXIT.accepted;
  } catch (error) {
    progress.end();
    throw error;
  } finally {
    if (plan !== undefined) destroyPlan(plan);
    initiator?.destroy();
    for (const domain of domains) domain.destroy();
    for (const { rsk, ssk } of keySets) wipe(rsk, ssk);
    core.destroy();
  }
}

/** Unix seconds; 0 stands for "at once" and "never" (TS 33.180 E.6.4, E.6.10). */
function keyLife(options: Options, now: number): { activation: number; expiry: number } {
  const seconds = (text: string | undefined, option: string) =>
    text === undefined ? 0 : Math.floor(timeOption(text, option) / 1000);
  const activation = seconds(options.activation, "--activation");
  const expiry = seconds(options.expiry, "--expiry");
  if (options.expiry !== undefined && expiry <= Math.max(activation, Math.floor(now / 1000))) {
    throw usageError("BAD_TIME", "--expiry: must be later than now and than --activation");
  }
  return { activation, expiry };
}

async function writeMessage(message: SealedMessage, folder: string, force: boolean): Promise<Json> {
  const file = `${fileNameOf(message.uri)}${MESSAGE_EXTENSION}`;
  await writeOutput(join(folder, file), message.octets, { force });
  return {
    member: message.uri,
    gukId: formatKeyId(message.csbId),
    file,
    octets: message.octets.length,
    sha256: toHex(sha256(message.octets)),
  };
}

/** Describes what the messages say in clear, or what their members may know: never the key. */
function describePlan(plan: SealPlan, group: string) {
  const time = (seconds: number | undefined) => (seconds ? formatDateTime(seconds * 1000) : undefined);
  return {
    group,
    initiator: plan.initiatorUri,
    kmsUri: plan.initiatorKmsUri,
    gmkId: formatKeyId(plan.keyId),
    time: formatDateTime(ntpToUnixMs(plan.time)),
    activation: time(plan.parameters?.activation),
    expiry: time(plan.parameters?.expiry),
    hiddenIdentities: plan.hideResponder,
    toSelf: plan.toSelf,
  };
}
