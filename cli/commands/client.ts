/** `client run`: a member of groups, on the command line. */
import { type Command, Option } from "commander";
import { defined } from "../../base/defined.ts";
import { type ImsArgs, imsOf } from "../device/ims-options.ts";
import { memberOptions } from "../device/member-options.ts";
import { DEFAULT_FOLDER } from "../server/folder-options.ts";
import { type Context, collect, type Runner } from "../terminal/command.ts";
import { durationOption } from "../terminal/durations.ts";
import type { ExitStatus } from "../terminal/exit-status.ts";
import { uriOption } from "../terminal/options.ts";
import { type TolerateArgs, toleranceOption } from "../terminal/tolerate.ts";
import { usageError } from "../terminal/usage.ts";

interface Options extends ImsArgs, TolerateArgs {
  user: string;
  local?: string | true;
  kmsUrl?: string;
  kmsUri?: string;
  gmsUri?: string;
  gmsKms?: string;
  xcapRoot?: string;
  sip?: string;
  way?: "sip" | "http";
  group?: string[];
  tokenFile?: string;
  gmsTokenFile?: string;
  ca?: string;
  trk?: string;
  ink?: string;
  store?: string;
  storeKey?: string;
  poll: string;
  once?: boolean;
  timeout: string;
}

export function registerClient(program: Command, runner: Runner): void {
  const client = program
    .command("client")
    .summary("be a member of groups")
    .description("Be a member of groups.");
  runner.define<[], Options>(
    client,
    "run",
    {
      summary: "get keys from a KMS and group keys from a GMS, and keep them current",
      description:
        "Get the keys of a user from a KMS, subscribe at a GMS over SIP or poll it over HTTPS, check each message, and " +
        "keep the group keys in a key ring. Prints events until Ctrl-C; with --json one line for each. The " +
        "keys themselves are not shown.",
      example:
        "mikey-sakke client run --local --user sip:alice@example.org\n" +
        "mikey-sakke client run --user sip:alice@example.org --kms-url https://kms.example.org \\\n" +
        "  --gms-uri sip:gms@example.org --sip 'sip:gms.example.org;transport=tcp' --token-file kms.token \\\n" +
        "  --gms-token-file gms.token --store alice",
    },
    (command) =>
      memberOptions(command)
        .option("--gms-uri <uri>", "identity of the GMS whose keys are accepted")
        .option(
          "--sip <uri>",
          "where the GMS takes subscriptions: sip:HOST:PORT;transport=tcp, sips:…, ws://…, wss://…; with --local also udp, tcp, tls, ws or wss",
        )
        .option("--xcap-root <url>", "XCAP root of the GMS, such as https://gms.example.org/xcap")
        .addOption(
          new Option("--way <way>", "how keys come (default: sip, if it is known where)").choices([
            "sip",
            "http",
          ]),
        )
        .option(
          "--group <uri>",
          "group whose keys to get; may be repeated (default: all groups of the user)",
          collect,
        )
        .option("--token-file <file>", "file with the access token for the KMS, read again for each request")
        .option("--gms-token-file <file>", "file with the access token for the GMS (default: the same)")
        .option("--ca <file>", "certificates to trust, in place of the system's")
        .option("--trk <file>", "TrK of the user")
        .option("--ink <file>", "InK of the user")
        .option("--store <dir>", "folder of sealed storage for keys; without it they end with the process")
        .option(
          "--store-key <file>",
          "its key, made if it is not there (default: the folder's name and .key)",
        )
        .option("--poll <span>", "how often to poll over HTTPS", "1m")
        .option("--once", "end when the keys of all groups have arrived")
        .option("--timeout <span>", "how long --once waits; then exit status 1", "1m"),
    run,
  );
}

async function run({ output }: Context, options: Options): Promise<ExitStatus> {
  const userUri = uriOption(options.user, "--user");
  const folder = options.local === true ? DEFAULT_FOLDER : options.local;
  const pollMs = durationOption(options.poll, "--poll");
  const timeoutMs = durationOption(options.timeout, "--timeout");
  const { readRunning } = await import("../gms/running-file.ts");
  const { knownServers } = await import("../device/known-servers.ts");
  const place = knownServers(options, folder === undefined ? undefined : await readRunning(folder));
  const { clientTokens } = await import("../device/tokens.ts");
  const { readTransportKeys } = await import("../files/named-key.ts");
  const { runClient } = await import("../device/run.ts");
  const way = options.way ?? (place.sip === undefined ? "http" : "sip");
  const missing =
    way === "sip" ? place.sip === undefined && "--sip" : place.xcapRoot === undefined && "--xcap-root";
  if (missing) throw usageError("NO_SERVER", `${missing} is needed, or --local`);
  const { store, storeKey } = options;
  const ims = await imsOf(options);
  return runClient(
    {
      userUri,
      ...defined({ ims }),
      tolerance: toleranceOption(options),
      place,
      way,
      groups: (options.group ?? []).map((uri) => uriOption(uri, "--group")),
      ...clientTokens(options, userUri, folder),
      protection: await readTransportKeys(options),
      ...(store !== undefined && { store: { folder: store, keyFile: storeKey ?? `${store}.key` } }),
      pollMs,
      ...(options.once && { onceWithinMs: timeoutMs }),
    },
    output,
  );
}
