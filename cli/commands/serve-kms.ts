/** `serve kms`: a KMS over HTTPS (TS 33.180 annex D). */
import type { Command } from "commander";
import { defined, ifDefined } from "../../base/defined.ts";
import { folderOf, folderOptions } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { logLevelOption } from "../terminal/log-option.ts";
import { integerOption, uriOption } from "../terminal/options.ts";

interface Options {
  dataDir: string;
  config?: string;
  kmsUri?: string;
  host?: string;
  port?: string;
  adminPort?: string;
  database?: string;
  http?: boolean;
  init?: boolean;
  logLevel?: string;
}

export function registerServeKms(parent: Command, runner: Runner): void {
  runner.define<[], Options>(
    parent,
    "kms",
    {
      summary: "run a KMS over HTTPS",
      description:
        "Run a KMS over HTTPS (TS 33.180 annex D). The first start creates the data folder: database, store key, " +
        "self-signed certificate for this machine, configuration with the address and the port of the options. " +
        "Without an issuer of access tokens in the configuration it accepts development tokens, on loopback only. " +
        "SIGTERM ends it when requests in progress are answered; SIGHUP makes it read certificates and " +
        "configuration again. The log goes to standard error.",
      example:
        "mikey-sakke serve kms\n" +
        "mikey-sakke serve kms --data-dir away --kms-uri kms.away.example --port 9443\n" +
        "mikey-sakke serve kms --config /etc/mikey-sakke/kms.json --data-dir /var/lib/mikey-sakke",
    },
    (command) =>
      folderOptions(command)
        .option("--kms-uri <uri>", "KmsUri, at the first start; it is hashed into every UID")
        .option("--host <address>", "address to listen on, in place of the configuration's")
        .option("--port <n>", "port to listen on, in place of the configuration's; 0 is any")
        .option(
          "--admin-port <n>",
          "port for health, metrics and the admin API (default: that of --port + 1)",
        )
        .option(
          "--database <url>",
          "PostgreSQL, at the first start, in place of a database in the data folder",
        )
        .option("--http", "plain HTTP, on loopback only: for a proxy there")
        .option("--init", "make a KMS in an empty database although the folder had one before")
        .addOption(logLevelOption()),
    serve,
  );
}

async function serve({ output }: Context, options: Options): Promise<ExitStatus> {
  const { kmsUri, host, port, adminPort, database } = options;
  const portOf = (text: string, option: string) => integerOption(text, option, 0, 65535);
  const checked = {
    ...folderOf(options),
    ...defined({
      kmsUri: ifDefined(kmsUri, uriOption, "--kms-uri"),
      host,
      port: ifDefined(port, portOf, "--port"),
      adminPort: ifDefined(adminPort, portOf, "--admin-port"),
      database,
    }),
    http: options.http === true,
    init: options.init === true,
    ...defined({ logLevel: options.logLevel }),
  };
  const { serveKms } = await import("../serve/kms.ts");
  await serveKms(checked, output);
  return EXIT.accepted;
}
