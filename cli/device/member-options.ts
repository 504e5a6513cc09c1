/** Options of the commands that are a member of a group at an MCX server. */
import type { Command } from "commander";
import { DEFAULT_FOLDER } from "../server/folder-options.ts";
import { type TolerateArgs, tolerateOption } from "../terminal/tolerate.ts";
import { type ImsArgs, imsOptions } from "./ims-options.ts";

export interface MemberArgs extends ImsArgs, TolerateArgs {
  user: string;
  local?: string | true;
  kmsUrl?: string;
  kmsUri?: string;
  gmsUri?: string;
  gmsKms?: string;
  xcapRoot?: string;
  mcxUri?: string;
  mcxSip?: string;
  filesUrl?: string;
  tokenFile?: string;
  gmsTokenFile?: string;
  mcxTokenFile?: string;
  ca?: string;
  timeout: string;
}

/** The options for a member's identity and KMS. */
export function memberOptions(command: Command): Command {
  return imsOptions(tolerateOption(command))
    .requiredOption("--user <uri>", "the identity")
    .option(
      "--local [dir]",
      `servers of this machine, by their data folder, with development tokens (default: ${DEFAULT_FOLDER})`,
    )
    .option("--kms-url <url>", "where the KMS is, such as https://kms.example.org")
    .option("--kms-uri <uri>", "KmsUri that the KMS must have (default: what it says it is)")
    .option("--gms-kms <uri>", "KmsUri of the KMS that keyed the GMS (default: that of the user)");
}

export function mcxMemberOptions(command: Command): Command {
  return memberOptions(command)
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

export function filesUrlOption(command: Command): Command {
  return command.option(
    "--files-url <url>",
    "where the MCX server takes files, such as https://mcx.example.org:8443/mcdata/fd",
  );
}
