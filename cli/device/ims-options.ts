/** Options of a client in an IMS, for the commands that have them. */
import type { Command } from "commander";
import { fromUtf8 } from "../../base/bytes.ts";
import { readFile } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";
import type { SipServer } from "./sip.ts";

export interface ImsArgs {
  ims?: string;
  imsProxy?: string;
  imsPassword?: string;
}

export interface ImsPlace {
  /** Public user identity. */
  readonly identity: string;
  readonly proxy: SipServer;
  readonly password?: string;
}

const MAX_PASSWORD = 1024;

export function imsOptions(command: Command): Command {
  return command
    .option("--ims <uri>", "register this public user identity in an IMS, and send as it")
    .option("--ims-proxy <uri>", "its P-CSCF: sip:HOST:PORT;transport=tcp, sips:…, ws://… or wss://…")
    .option("--ims-password <file>", "file with the password of the identity, where the core asks for one");
}

/** Usage errors BAD_SIP_URI, NO_SERVER. */
export async function imsOf({ ims, imsProxy, imsPassword }: ImsArgs): Promise<ImsPlace | undefined> {
  if (ims === undefined) return undefined;
  if (imsProxy === undefined) throw usageError("NO_SERVER", "--ims needs --ims-proxy");
  // SIP is loaded by a command that runs, and not by one that only tells its options.
  const { parseSipUri } = await import("../../transport/sip/index.ts");
  const { sipServer } = await import("./sip.ts");
  try {
    parseSipUri(ims);
  } catch {
    throw usageError("BAD_SIP_URI", `--ims: "${ims}" is no SIP URI`);
  }
  return {
    identity: ims,
    proxy: sipServer(imsProxy, "--ims-proxy"),
    ...(imsPassword !== undefined && {
      password: fromUtf8(await readFile(imsPassword, MAX_PASSWORD), imsPassword).trim(),
    }),
  };
}
