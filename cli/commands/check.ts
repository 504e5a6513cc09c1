/** `check`: numbered test cases against anybody's server, with this program on the other side. */
import type { Command } from "commander";
import type { CaseResult } from "../check/run.ts";
import { DEFAULT_FOLDER } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { uriOption } from "../terminal/options.ts";
import type { Output } from "../terminal/output.ts";
import { usageError } from "../terminal/usage.ts";

interface CommonArgs {
  user: string;
  otherUser?: string;
  local?: string | true;
  kmsUri?: string;
  tokenFile?: string;
  expiredTokenFile?: string;
  wrongScopeTokenFile?: string;
  ca?: string;
  trk?: string;
  ink?: string;
  junit?: string;
}

interface GmsArgs extends CommonArgs {
  kmsUrl?: string;
  kmsTokenFile?: string;
  gmsUri?: string;
  sip?: string;
  xcapRoot?: string;
  group?: string;
}

export function registerCheck(program: Command, runner: Runner): void {
  const check = program
    .command("check")
    .summary("test a server against the clauses of the standard")
    .description("Test a server, whoever made it, against the clauses of the standard.");
  runner.define<[string | undefined], CommonArgs>(
    check,
    "kms",
    {
      summary: "test a KMS",
      description:
        "Test a KMS as a client: its certificate, the keys of a user, whom it refuses, and what it makes of wrong and " +
        "hostile requests. Each case has a number, its clause, what was sent and what came. The user must be one that " +
        "was made for tests: what is in the keys is not shown, but new TrKs and InKs are not kept.",
      example:
        "mikey-sakke check kms --local --user sip:alice@example.org\n" +
        "mikey-sakke check kms https://kms.example.org --user sip:test@example.org --token-file token \\\n" +
        "  --expired-token-file old.token --other-user sip:other@example.org --junit kms.xml",
    },
    (command) =>
      tokenOptions(command.argument("[url]", "where the KMS is, such as https://kms.example.org"))
        .option("--kms-uri <uri>", "KmsUri that the KMS must have (default: what it says it is)")
        .option("--trk <file>", "TrK of the user: keys must come wrapped")
        .option("--ink <file>", "InK of the user: what is said is signed")
        .option("--junit <file>", "write the verdicts for continuous integration as well"),
    checkKmsCommand,
  );
  runner.define<[], GmsArgs>(
    check,
    "gms",
    {
      summary: "test a GMS",
      description:
        "Test a GMS as a member of a group: documents over XCAP, the subscription over SIP, and the keys that come either " +
        "way, opened with the keys of the user. The keys of the user come from a KMS. What is received is acknowledged: " +
        "the user must be one that was made for tests, in a group that has a key.",
      example:
        "mikey-sakke check gms --local --user sip:alice@example.org --group sip:fire@example.org\n" +
        "mikey-sakke check gms --user sip:test@example.org --group sip:test-group@example.org \\\n" +
        "  --kms-url https://kms.example.org --kms-token-file kms.token --gms-uri sip:gms@example.org \\\n" +
        "  --sip 'sip:gms.example.org;transport=tcp' --xcap-root https://gms.example.org/xcap --token-file gms.token",
    },
    (command) =>
      tokenOptions(command)
        .option("--group <uri>", "a group that the user is a member of, and that has a key")
        .option("--gms-uri <uri>", "identity of the GMS, as in its messages")
        .option(
          "--sip <uri>",
          "where it takes subscriptions: sip:HOST:PORT;transport=tcp, sips:…, ws://…, wss://…; with --local also udp, tcp, tls, ws or wss",
        )
        .option("--xcap-root <url>", "its XCAP root, such as https://gms.example.org/xcap")
        .option("--kms-url <url>", "where the KMS of the user is")
        .option("--kms-uri <uri>", "KmsUri that the KMS must have (default: what it says it is)")
        .option("--kms-token-file <file>", "file with the access token for the KMS (default: the same)")
        .option("--trk <file>", "TrK of the user at the KMS")
        .option("--ink <file>", "InK of the user at the KMS")
        .option("--junit <file>", "write the verdicts for continuous integration as well"),
    checkGmsCommand,
  );
}

function tokenOptions(command: Command): Command {
  return command
    .requiredOption("--user <uri>", "the identity that the token proves")
    .option(
      "--other-user <uri>",
      "another user, whose keys must not come (default: check-other at the same host)",
    )
    .option(
      "--local [dir]",
      `servers of this machine, by their data folder, with development tokens (default: ${DEFAULT_FOLDER})`,
    )
    .option("--token-file <file>", "file with the access token, read anew for each request")
    .option("--expired-token-file <file>", "file with one that has expired")
    .option("--wrong-scope-token-file <file>", "file with one of the user for another service")
    .option("--ca <file>", "certificates to trust, in place of the system's");
}

async function checkKmsCommand(
  { output }: Context,
  options: CommonArgs,
  given: string | undefined,
): Promise<ExitStatus> {
  const userUri = uriOption(options.user, "--user");
  const folder = options.local === true ? DEFAULT_FOLDER : options.local;
  const { readRunning } = await import("../gms/running-file.ts");
  const running = folder === undefined || given !== undefined ? undefined : await readRunning(folder);
  const url = given ?? running?.kmsUrl;
  if (url === undefined) throw usageError("NO_SERVER", "give the URL of the KMS, or --local");
  const { checkTokens } = await import("../check/tokens.ts");
  const { readNamedKey } = await import("../files/named-key.ts");
  const { trk, ink, kmsUri } = options;
  const tokens = checkTokens("KMS", options, userUri, folder);
  const protection = {
    ...(trk !== undefined && { trk: await readNamedKey(trk, "TrK") }),
    ...(ink !== undefined && { ink: await readNamedKey(ink, "InK") }),
  };
  const keys = Object.values(protection);
  const home = kmsUri === undefined ? (keys[0]?.kmsUri ?? running?.kmsUri) : uriOption(kmsUri, "--kms-uri");
  const { httpsFetch } = await import("../server/https.ts");
  const { fetch, close } = await httpsFetch(options.ca ?? running?.ca);
  const { load } = await import("../../bindings/core/core.ts");
  const { systemRandom } = await import("../../base/random.ts");
  const { checkKms, KMS_CASES } = await import("../check/kms/index.ts");
  const core = await load();
  const progress = output.progress("checking", KMS_CASES.length);
  let done = 0;
  let results: readonly CaseResult[];
  try {
    results = await checkKms(
      {
        url,
        userUri,
        otherUserUri: otherOf(options.otherUser, userUri),
        ...(home !== undefined && { kmsUri: home }),
        tokens,
        protection,
        fetch,
        core,
        now: Date.now,
        random: systemRandom,
      },
      () => progress.update(++done),
    );
  } finally {
    progress.end();
    for (const { key } of keys) key.fill(0);
    core.destroy();
    await close();
  }
  return report(output, "kms", url, results, options.junit);
}

async function checkGmsCommand({ output }: Context, options: GmsArgs): Promise<ExitStatus> {
  const userUri = uriOption(options.user, "--user");
  const folder = options.local === true ? DEFAULT_FOLDER : options.local;
  const { readRunning } = await import("../gms/running-file.ts");
  const { placeOf } = await import("../device/place.ts");
  const place = placeOf(options, folder === undefined ? undefined : await readRunning(folder));
  if (place.sip === undefined && place.xcapRoot === undefined) {
    throw usageError("NO_SERVER", "give --sip, --xcap-root or both, or --local");
  }
  const { checkTokens } = await import("../check/tokens.ts");
  const { clientTokens } = await import("../device/tokens.ts");
  const { readNamedKey } = await import("../files/named-key.ts");
  const { trk, ink, kmsTokenFile = options.tokenFile, group } = options;
  const tokens = checkTokens("GMS", options, userUri, folder);
  const kmsTokens = clientTokens(
    kmsTokenFile === undefined ? {} : { tokenFile: kmsTokenFile },
    userUri,
    folder,
  );
  const { GMS_CASES } = await import("../check/gms/index.ts");
  const { checkGmsOver } = await import("../check/gms/over.ts");
  const progress = output.progress("checking", GMS_CASES.length);
  let done = 0;
  let results: readonly CaseResult[];
  try {
    results = await checkGmsOver(
      {
        userUri,
        otherUserUri: otherOf(options.otherUser, userUri),
        ...(group !== undefined && { group: uriOption(group, "--group") }),
        place,
        tokens,
        kmsToken: kmsTokens.kmsToken,
        protection: {
          ...(trk !== undefined && { trk: await readNamedKey(trk, "TrK") }),
          ...(ink !== undefined && { ink: await readNamedKey(ink, "InK") }),
        },
      },
      () => progress.update(++done),
    );
  } finally {
    progress.end();
  }
  return report(output, "gms", place.gmsUri, results, options.junit);
}

/** Of the same domain, or a KMS would refuse it for that. */
function otherOf(given: string | undefined, userUri: string): string {
  if (given !== undefined) return uriOption(given, "--other-user");
  return userUri.replace(/^([a-z][a-z0-9+.-]*:)(?:[^@]*@)?/i, "$1check-other@");
}

async function report(
  output: Output,
  suite: string,
  server: string,
  results: readonly CaseResult[],
  junit: string | undefined,
): Promise<ExitStatus> {
  const { countsOf, jsonOf, junitOf, linesOf, summaryOf } = await import("../check/report.ts");
  const { writeOutput } = await import("../terminal/files.ts");
  if (junit !== undefined) await writeOutput(junit, junitOf(suite, results), { force: true });
  const counts = countsOf(results);
  const passed = counts.fail === 0;
  output.result(
    { status: passed ? "passed" : "failed", suite, server, counts: { ...counts }, cases: jsonOf(results) },
    () => [...results.flatMap(linesOf), "", `${server}: ${summaryOf(results)}`],
  );
  return passed ? EXIT.accepted : EXIT.refused;
}
