/** `check`: numbered test cases against anybody's server or client, with this program on the other side. */
import { join } from "node:path";
import type { Command } from "commander";
import { defined, ifDefined } from "../../base/defined.ts";
import type { ClientPlace } from "../check/client/over.ts";
import type { StartedClient } from "../check/client/run-command.ts";
import type { CaseResult } from "../check/run.ts";
import { DEFAULT_FOLDER } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { durationOption } from "../terminal/durations.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { integerOption, uriOption } from "../terminal/options.ts";
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

interface ClientArgs {
  user: string;
  group?: string;
  dir: string;
  host: string;
  port: string;
  sipPort: string;
  sip: boolean;
  calls?: true;
  mcxUri?: string;
  gmsUri?: string;
  kmsUri?: string;
  cert?: string;
  key?: string;
  tokenFile?: string;
  trk?: string;
  ink?: string;
  expires: string;
  start: string;
  step: string;
  run?: string;
  junit?: string;
}

export function registerCheck(program: Command, runner: Runner): void {
  const check = program
    .command("check")
    .summary("test a server or a client against the clauses of the standard")
    .description("Test a server or a client, whoever made it, against the clauses of the standard.");
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
  runner.define<[], ClientArgs>(
    check,
    "client",
    {
      summary: "test a client of KMS, GMS and MCX server",
      description:
        "Test a client as its KMS and its GMS: what it asks for, what it makes of messages that it must take and of others " +
        "that it must refuse, of another key, of a revocation, and of the end of its subscription. With --calls, test it as " +
        "its MCX server in place of that: its CSK, the call of the group, floor control and speech. Says where the servers " +
        "are, and waits for the client to be started with that. The folder then has the certificate to trust, and an " +
        "access token for a client that needs one; any token is taken unless --token-file is given.",
      example:
        "mikey-sakke check client --user sip:alice@example.org --junit client.xml\n" +
        "mikey-sakke client run --user sip:alice@example.org --kms-url https://127.0.0.1:9443 \\\n" +
        "  --gms-uri sip:check-gms@example.org --sip 'sip:127.0.0.1:5060;transport=tcp' --group sip:check@example.org \\\n" +
        "  --ca mikey-sakke-check/ca.pem --token-file mikey-sakke-check/token",
    },
    (command) =>
      command
        .requiredOption("--user <uri>", "MC service ID of the user that the client is set up for")
        .option("--group <uri>", "the group of the test (default: check at the same host)")
        .option(
          "--dir <folder>",
          "where the certificate and a token for the client are put",
          "mikey-sakke-check",
        )
        .option("--host <address>", "address to listen on", "127.0.0.1")
        .option("--port <n>", "port of the KMS and the XCAP server; 0 is any", "9443")
        .option(
          "--sip-port <n>",
          "port of the GMS for UDP and TCP, and for TLS the one after it; 0 is any",
          "5060",
        )
        .option("--no-sip", "let the client come over HTTPS only")
        .option(
          "--calls",
          "check a call of the group, in which the client asks for the floor again and again",
        )
        .option("--mcx-uri <uri>", "identity of the MCX server (default: check-mcx at the same host)")
        .option("--gms-uri <uri>", "identity of the GMS (default: check-gms at the same host)")
        .option("--kms-uri <uri>", "KmsUri of the KMS (default: kms. and the same host)")
        .option("--cert <file>", "certificate of the servers, with --key; in place of one made for the test")
        .option("--key <file>", "its key")
        .option("--token-file <file>", "file with the access token that the client must show")
        .option("--trk <file>", "TrK that the client was given: its keys are wrapped")
        .option("--ink <file>", "InK that the client was given: its requests must be signed")
        .option("--expires <span>", "how long a subscription lasts: so long the refresh is awaited", "1m")
        .option("--start <span>", "how long the client may take to begin", "2m")
        .option("--step <span>", "how long it may take to do what is due, such as to subscribe again", "1m")
        .option(
          "--run <command>",
          "start the client with this command of the shell, and end it with the test; CHECK_KMS_URL and other variables of " +
            "its environment say where the servers are (docs/check.md)",
        )
        .option("--junit <file>", "write the verdicts for continuous integration as well"),
    checkClientCommand,
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
  const { readTransportKeys } = await import("../files/named-key.ts");
  const { kmsUri } = options;
  const tokens = checkTokens("KMS", options, userUri, folder);
  const protection = await readTransportKeys(options);
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
        otherUserUri: await otherOf(options.otherUser, userUri),
        ...defined({ kmsUri: home }),
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
  const { knownServers } = await import("../device/known-servers.ts");
  const place = knownServers(options, folder === undefined ? undefined : await readRunning(folder));
  if (place.sip === undefined && place.xcapRoot === undefined) {
    throw usageError("NO_SERVER", "give --sip, --xcap-root or both, or --local");
  }
  const { checkTokens } = await import("../check/tokens.ts");
  const { clientTokens } = await import("../device/tokens.ts");
  const { readTransportKeys } = await import("../files/named-key.ts");
  const { kmsTokenFile = options.tokenFile, group } = options;
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
        otherUserUri: await otherOf(options.otherUser, userUri),
        ...defined({ group: ifDefined(group, uriOption, "--group") }),
        place,
        tokens,
        kmsToken: kmsTokens.kmsToken,
        protection: await readTransportKeys(options),
      },
      () => progress.update(++done),
    );
  } finally {
    progress.end();
  }
  return report(output, "gms", place.gmsUri, results, options.junit);
}

async function checkClientCommand({ output }: Context, options: ClientArgs): Promise<ExitStatus> {
  const userUri = uriOption(options.user, "--user");
  const { host, dir, tokenFile, calls } = options;
  if (calls && !options.sip) throw usageError("NO_SERVER", "--calls needs SIP: leave out --no-sip");
  const { atSameHost } = await import("../check/at-same-host.ts");
  const uri = (given: string | undefined, option: string, otherwise: string) =>
    given === undefined ? otherwise : uriOption(given, option);
  const { prepareClientCheck } = await import("../check/client/prepare.ts");
  const { readTransportKeys } = await import("../files/named-key.ts");
  const { clientCases } = await import("../check/client/index.ts");
  const { checkClientOver } = await import("../check/client/over.ts");
  const { tls, token, files } = await prepareClientCheck({ ...options, dir, host, tokenFile });
  const place = {
    userUri,
    group: uri(options.group, "--group", atSameHost(userUri, "check")),
    gmsUri: uri(options.gmsUri, "--gms-uri", atSameHost(userUri, "check-gms")),
    kmsUri: uri(options.kmsUri, "--kms-uri", atSameHost(userUri, "kms").replace(/^.*kms@/, "kms.")),
    host,
    port: integerOption(options.port, "--port", 0, 65_535),
    sipPort: integerOption(options.sipPort, "--sip-port", 0, 65_534),
    sip: options.sip,
    expires: Math.ceil(durationOption(options.expires, "--expires") / 1000),
    startMs: durationOption(options.start, "--start"),
    stepMs: durationOption(options.step, "--step"),
    tls,
    ...defined({ token }),
    ...(calls && { mcxUri: uri(options.mcxUri, "--mcx-uri", atSameHost(userUri, "check-mcx")) }),
    protection: await readTransportKeys(options),
  };
  const startClient = async (command: string, servers: ClientPlace) => {
    const { runClient } = await import("../check/client/run-command.ts");
    const { makeFolders } = await import("../terminal/files.ts");
    await makeFolders(dir, 0o700);
    const log = join(dir, "client.log");
    const ended = (status: string) => output.note(`the client has ended with ${status}; see ${log}`);
    return runClient({ command, userUri, place: servers, files, log, ended });
  };
  let done = 0;
  let progress: ReturnType<Output["progress"]> | undefined;
  let client: StartedClient | undefined;
  let results: readonly CaseResult[];
  try {
    results = await checkClientOver(
      place,
      async (servers) => {
        output.ready({ event: "listening", user: userUri, ...servers, ...files }, () => [
          `KMS    ${servers.kmsUrl}  (${servers.kmsUri})`,
          `GMS    ${Object.values(servers.sip).join("  ")}  (${servers.gmsUri})`,
          ...(servers.mcxUri === undefined ? [] : [`MCX    at the same addresses  (${servers.mcxUri})`]),
          `XCAP   ${servers.xcapRoot}`,
          `group  ${servers.group}`,
          ...Object.entries(files).map(([name, file]) => `${name.padEnd(6)} ${file}`),
          options.run === undefined ? `start the client as ${userUri} now` : `started: ${options.run}`,
          "",
        ]);
        if (options.run !== undefined) client = await startClient(options.run, servers);
        progress = output.progress("checking", clientCases(place.mcxUri !== undefined).length);
      },
      () => progress?.update(++done),
    );
  } finally {
    progress?.end();
    await client?.stop();
  }
  return report(output, "client", userUri, results, options.junit, true);
}

async function otherOf(given: string | undefined, userUri: string): Promise<string> {
  if (given !== undefined) return uriOption(given, "--other-user");
  const { atSameHost } = await import("../check/at-same-host.ts");
  return atSameHost(userUri, "check-other");
}

async function report(
  output: Output,
  suite: string,
  server: string,
  results: readonly CaseResult[],
  junit: string | undefined,
  continued = false,
): Promise<ExitStatus> {
  const { countsOf, jsonOf, junitOf, linesOf, summaryOf } = await import("../check/report.ts");
  const { writeOutput } = await import("../terminal/files.ts");
  if (junit !== undefined) await writeOutput(junit, junitOf(suite, results), { force: true });
  const counts = countsOf(results);
  const passed = counts.fail === 0;
  const value = {
    status: passed ? "passed" : "failed",
    suite,
    [suite === "client" ? "client" : "server"]: server,
    counts: { ...counts },
    cases: jsonOf(results),
  };
  const lines = () => [...results.flatMap(linesOf), "", `${server}: ${summaryOf(results)}`];
  // After a line that said where the servers are, the verdicts are another one.
  if (continued) output.ready(value, lines);
  else output.result(value, lines);
  return passed ? EXIT.accepted : EXIT.refused;
}
