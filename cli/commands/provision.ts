/** `provision`: keys from a KMS over HTTPS (TS 33.180 5.3). */
import type { Command } from "commander";
import { defined, ifDefined } from "../../base/defined.ts";
import { DEFAULT_FOLDER } from "../server/folder-options.ts";
import { type Context, collect, type Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { uriOption } from "../terminal/options.ts";
import { usageError } from "../terminal/usage.ts";

interface Options {
  kmsUrl: string;
  kmsUri?: string;
  user: string;
  token?: string;
  tokenFile?: string;
  developmentToken?: string | true;
  clientId?: string;
  ca?: string;
  trk?: string;
  ink?: string;
  migrationKms?: string[];
  out?: string;
  store?: string;
  storeKey?: string;
  force?: boolean;
}

export function registerProvision(parent: Command, runner: Runner): void {
  runner.define<[], Options>(
    parent,
    "provision",
    {
      summary: "get the keys of an identity from a KMS",
      description:
        "Get the keys of an identity from a KMS over HTTPS: its certificates and those of the KMSs that it permits, and " +
        "the key sets of the present and the next key period, each one checked. With --out as documents for seal and " +
        "open, keys in clear; with --store in sealed storage, which keeps the keys of earlier periods as well.",
      example:
        "mikey-sakke provision --kms-url https://127.0.0.1:8443 --ca mikey-sakke-data/tls.crt \\\n" +
        "  --development-token mikey-sakke-data --user sip:alice@example.org --out alice\n" +
        "mikey-sakke provision --kms-url https://kms.example.org --kms-uri kms.example.org --token-file token \\\n" +
        "  --trk alice.trk --ink alice.ink --user sip:alice@example.org --store alice",
    },
    (command) =>
      command
        .requiredOption("--kms-url <url>", "where the KMS is, such as https://kms.example.org")
        .requiredOption("--user <uri>", "the identity")
        .option("--kms-uri <uri>", "KmsUri that the KMS must have (default: what it says it is)")
        .option("--token-file <file>", "file with the access token")
        .option("--token <token>", "the access token; other users of the machine may see it")
        .option(
          "--development-token [dir]",
          `make one, with the data folder of a KMS on this machine (default: ${DEFAULT_FOLDER})`,
        )
        .option("--client-id <id>", "ClientId, and client_id of a development token")
        .option("--ca <file>", "certificates to trust for HTTPS, in place of the system's")
        .option("--trk <file>", "TrK of the user; a new one from the KMS replaces it")
        .option("--ink <file>", "InK of the user; a new one from the KMS replaces it")
        .option(
          "--migration-kms <uri>",
          "another KMS that may issue keys to the user; may be repeated",
          collect,
        )
        .option("--out <dir>", "folder for kms.xml and keys.xml (mode 0600)")
        .option("--store <dir>", "folder of sealed storage; new TrK and InK stay in it")
        .option(
          "--store-key <file>",
          "its key, made if it is not there (default: the folder's name and .key)",
        )
        .option("--force", "replace files that exist"),
    provisionCommand,
  );
}

async function provisionCommand({ output }: Context, options: Options): Promise<ExitStatus> {
  const { kmsUrl, kmsUri, clientId, ca, trk, ink, out, store, storeKey } = options;
  if (out === undefined && store === undefined) {
    throw usageError("NO_OUTPUT", "give --out DIR for documents, --store DIR for sealed storage, or both");
  }
  const user = uriOption(options.user, "--user");
  const { provision, tokenSource } = await import("../kms/provision.ts");
  const { developmentToken: folder, ...tokens } = options;
  const developmentToken = folder === true ? DEFAULT_FOLDER : folder;
  const result = await provision({
    kmsUrl,
    userUri: user,
    token: tokenSource({ ...tokens, ...defined({ developmentToken }) }),
    ...defined({ kmsUri: ifDefined(kmsUri, uriOption, "--kms-uri"), clientId, ca, trk, ink, out }),
    ...(store !== undefined && { store: { folder: store, keyFile: storeKey ?? `${store}.key` } }),
    migration: (options.migrationKms ?? []).map((uri) => uriOption(uri, "--migration-kms")),
    force: options.force === true,
  });
  const refreshAt = new Date(result.refreshAt).toISOString();
  const { periods, certificates, newKeys, files } = result;
  output.result(
    {
      status: "ok",
      user,
      kmsUri: result.kmsUri,
      keyPeriods: periods,
      certificates,
      newKeys,
      files,
      store,
      refreshAt,
    },
    () => [
      `${user}, keyed by ${result.kmsUri}`,
      `key periods   ${periods.join(", ")}`,
      `certificates  ${certificates.join(", ")}`,
      ...newKeys.map(
        ({ kind, id, file }) => `new ${kind}       ${id}${file === undefined ? "" : `  ${file}`}`,
      ),
      ...files.map((file) => `written       ${file}`),
      ...(store === undefined ? [] : [`stored        ${store}`]),
      `ask again at  ${refreshAt}`,
    ],
  );
  return EXIT.accepted;
}
