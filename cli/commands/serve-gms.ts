/** `serve gms`, and `serve` without more: a GMS, alone or with the KMS of the same folder. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { defined, ifDefined } from "../../base/defined.ts";
import { folderOf, folderOptions } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { logLevelOption } from "../terminal/log-option.ts";
import { integerOption, uriOption } from "../terminal/options.ts";

interface CommonArgs {
  dataDir: string;
  config?: string;
  kmsUri?: string;
  gmsUri?: string;
  mcxUri?: string;
  host?: string;
  port?: string;
  sipPort?: string;
  database?: string;
  logLevel?: string;
}

interface AllArgs extends CommonArgs {
  init?: boolean;
  consolePort?: string;
}

interface GmsArgs extends CommonArgs {
  kmsUrl?: string;
  adminPort?: string;
  http?: boolean;
  kmsTokenFile?: string;
  kmsDevelopmentToken?: string;
  kmsCa?: string;
  trk?: string;
  ink?: string;
  clientId?: string;
}

export function registerServeAll(program: Command, runner: Runner): Command {
  return runner.define<[], AllArgs>(
    program,
    "serve",
    {
      summary: "run KMS, GMS and MCX server, or one of them",
      description:
        "Run a KMS, a GMS and an MCX server with HTTPS and SIP on one data folder. The first start creates it: " +
        "database, store key, self-signed certificate for this machine, configuration with the address and the ports " +
        "of the options. Without issuers of access tokens in the configuration they accept development tokens, on " +
        "loopback only. SIGTERM ends them when work in progress is done; SIGHUP makes them read certificates and " +
        "configuration again. The log goes to standard error.",
      example: "mikey-sakke serve\nmikey-sakke serve --data-dir away --port 9443 --sip-port 5070",
    },
    (command) =>
      common(command, "; n + 10: UDP and TCP of the MCX server")
        .option("--mcx-uri <uri>", "identity of the MCX server, at the first start")
        .option("--init", "make a KMS in an empty database although the folder had one before")
        .option(
          "--port <n>",
          "ports from here on: KMS, its operators, XCAP, operators of the GMS and of the MCX server, console; 0 is any",
        )
        .option(
          "--console-port <n>",
          "port of the operators' console, in place of the configuration's; 0 is any",
        )
        .usage("[options] [kms|gms]")
        // What follows kms or gms is theirs.
        .enablePositionalOptions(),
    serveAll,
  );
}

export function registerServeGms(serve: Command, runner: Runner): void {
  runner.define<[], GmsArgs>(
    serve,
    "gms",
    {
      summary: "run a GMS over SIP and HTTPS, with a KMS elsewhere",
      description:
        "Run a GMS (TS 33.180 5.7, TS 24.481) that gets its keys from a KMS elsewhere. The options of the " +
        "first start about the KMS and where to listen go into the configuration. SIGTERM ends it when work in " +
        "progress is done; SIGHUP makes it read certificates and configuration again.",
      example:
        "mikey-sakke serve gms --kms-url https://kms.example.org --kms-uri kms.example.org \\\n" +
        "  --gms-uri sip:gms@example.org --kms-token-file gms.token --data-dir gms",
    },
    (command) =>
      common(command)
        .option("--kms-url <url>", "where the KMS is, such as https://kms.example.org")
        .option("--kms-token-file <file>", "file with the access token for it, read again each time")
        .option(
          "--kms-development-token <dir>",
          "make development tokens, with the data folder of that KMS on this machine",
        )
        .option("--client-id <id>", "client_id of a development token")
        .option("--kms-ca <file>", "certificates to trust for it, in place of the system's")
        .option("--trk <file>", "TrK of the GMS")
        .option("--ink <file>", "InK of the GMS")
        .option("--port <n>", "port of XCAP, in place of the configuration's; 0 is any")
        .option(
          "--admin-port <n>",
          "port for health, metrics and the admin API (default: that of --port + 1)",
        )
        .option("--http", "plain HTTP, on loopback only: for a proxy there"),
    serveGms,
  );
}

/** Adds the options that `serve` and `serve gms` share. `moreSip` says what else `--sip-port` moves. */
function common(command: Command, moreSip = ""): Command {
  return folderOptions(command)
    .option("--gms-uri <uri>", "identity of the GMS, at the first start")
    .option("--kms-uri <uri>", "KmsUri of its KMS, at the first start; it is hashed into every UID")
    .option("--host <address>", "address to listen on, in place of the configuration's")
    .option(
      "--sip-port <n>",
      `UDP and TCP of the GMS; the next ones are for TLS, ws and wss${moreSip}; 0 is any`,
    )
    .option("--database <url>", "PostgreSQL, at the first start, in place of a database in the data folder")
    .addOption(logLevelOption());
}

function commonOf(options: CommonArgs) {
  const { kmsUri, gmsUri, mcxUri, host, port, sipPort, database, logLevel } = options;
  return {
    ...folderOf(options),
    ...defined({
      kmsUri: ifDefined(kmsUri, uriOption, "--kms-uri"),
      gmsUri: ifDefined(gmsUri, uriOption, "--gms-uri"),
      mcxUri: ifDefined(mcxUri, uriOption, "--mcx-uri"),
      host,
      port: ifDefined(port, portOf, "--port"),
      sipPort: ifDefined(sipPort, portOf, "--sip-port"),
      database,
      logLevel,
    }),
  };
}

const portOf = (text: string, option: string) => integerOption(text, option, 0, 65535);

async function serveAll({ output }: Context, options: AllArgs): Promise<ExitStatus> {
  const { consolePort, init = false } = options;
  const checked = {
    ...commonOf(options),
    init,
    ...defined({ consolePort: ifDefined(consolePort, portOf, "--console-port") }),
  };
  const { serveAll: run } = await import("../serve/gms.ts");
  await run(checked, output);
  return EXIT.accepted;
}

async function serveGms({ output }: Context, options: GmsArgs): Promise<ExitStatus> {
  const { kmsUrl, adminPort, kmsTokenFile, kmsDevelopmentToken, kmsCa, trk, ink, clientId } = options;
  const checked = {
    ...commonOf(options),
    ...defined({ kmsUrl, adminPort: ifDefined(adminPort, portOf, "--admin-port") }),
    http: options.http === true,
    provisioning: {
      ...defined({
        tokenFile: ifDefined(kmsTokenFile, resolve),
        developmentFolder: ifDefined(kmsDevelopmentToken, resolve),
        caFile: ifDefined(kmsCa, resolve),
        trkFile: ifDefined(trk, resolve),
        inkFile: ifDefined(ink, resolve),
        clientId,
      }),
    },
  };
  const { serveGms: run } = await import("../serve/gms.ts");
  await run(checked, output);
  return EXIT.accepted;
}
