/** Options of the commands that are a member of a group at an MCX server. */
import type { Command } from "commander";
import { fromUtf8 } from "../../bindings/bytes.ts";
import { placeOf } from "../client/place.ts";
import { sipServer } from "../client/sip.ts";
import { clientTokens } from "../client/tokens.ts";
import { readFile } from "../files.ts";
import { durationOption } from "../gms/durations.ts";
import { readRunning } from "../gms/running-file.ts";
import { DEFAULT_FOLDER } from "../kms/folder-options.ts";
import { uriOption } from "../options.ts";
import { usageError } from "../usage.ts";
import { mcxDevelopmentToken } from "./development-tokens.ts";
import type { McxMemberOptions } from "./member.ts";

export interface MemberArgs {
  user: string;
  local?: string | true;
  kmsUrl?: string;
  kmsUri?: string;
  gmsUri?: string;
  xcapRoot?: string;
  mcxUri?: string;
  mcxSip?: string;
  tokenFile?: string;
  gmsTokenFile?: string;
  mcxTokenFile?: string;
  ca?: string;
  timeout: string;
}

const MAX_TOKEN = 64 << 10;
const TOKEN_LIFETIME = 300;

export function mcxMemberOptions(command: Command): Command {
  return command
    .requiredOption("--user <uri>", "the identity")
    .option(
      "--local [dir]",
      `servers of this machine, by their data folder, with development tokens (default: ${DEFAULT_FOLDER})`,
    )
    .option("--kms-url <url>", "where the KMS is, such as https://kms.example.org")
    .option("--kms-uri <uri>", "KmsUri that the KMS must have (default: what it says it is)")
    .option("--gms-uri <uri>", "identity of the GMS that keys are taken from")
    .option("--xcap-root <url>", "XCAP root of the GMS, such as https://gms.example.org/xcap")
    .option("--mcx-uri <uri>", "identity of the MCX server")
    .option("--mcx-sip <uri>", "where it is: sip:HOST:PORT;transport=tcp, sips:…, ws://… or wss://…")
    .option("--token-file <file>", "file with the access token for the KMS, read anew for each request")
    .option("--gms-token-file <file>", "file with the access token for the GMS (default: the same)")
    .option("--mcx-token-file <file>", "file with the access token for the MCX server (default: the same)")
    .option("--ca <file>", "certificates to trust, in place of the system's")
    .option("--timeout <span>", "how long the key of the group may take", "30s");
}

export async function mcxMemberOf(
  group: string,
  args: MemberArgs,
): Promise<Omit<McxMemberOptions, "onEvent">> {
  const userUri = uriOption(args.user, "--user");
  const folder = args.local === true ? DEFAULT_FOLDER : args.local;
  const running = folder === undefined ? undefined : await readRunning(folder);
  const place = placeOf(args, running);
  const uri = args.mcxUri ?? running?.mcx?.uri;
  const sip = args.mcxSip ?? running?.mcx?.sip.udp;
  if (uri === undefined || sip === undefined) {
    throw usageError("NO_SERVER", "give --mcx-uri and --mcx-sip, or --local for the servers of this machine");
  }
  if (place.xcapRoot === undefined) throw usageError("NO_SERVER", "--xcap-root is needed, or --local");
  const { mcxTokenFile = args.tokenFile } = args;
  return {
    userUri,
    groupUri: uriOption(group, "GROUP"),
    place,
    mcx: { uri, sip: sipServer(sip, "--mcx-sip") },
    ...clientTokens(args, userUri, folder),
    mcxToken:
      mcxTokenFile === undefined
        ? () => mcxDevelopmentToken(folder!, userUri, TOKEN_LIFETIME)
        : async () => fromUtf8(await readFile(mcxTokenFile, MAX_TOKEN), mcxTokenFile).trim(),
    patienceMs: durationOption(args.timeout, "--timeout"),
  };
}
