/** The user that a command acts as, and the addresses of its servers. */
import { fromUtf8 } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { readRunning } from "../gms/running-file.ts";
import { mcxDevelopmentToken } from "../mcx/mcx-token.ts";
import { DEFAULT_FOLDER } from "../server/folder-options.ts";
import { durationOption } from "../terminal/durations.ts";
import { readFile } from "../terminal/files.ts";
import { httpUrlOption, uriOption } from "../terminal/options.ts";
import { toleranceOption } from "../terminal/tolerate.ts";
import { usageError } from "../terminal/usage.ts";
import { imsOf } from "./ims-options.ts";
import { knownServers } from "./known-servers.ts";
import type { McxMemberOptions, McxUserOptions } from "./member.ts";
import type { MemberArgs } from "./member-options.ts";
import { sipServer } from "./sip.ts";
import { clientTokens } from "./tokens.ts";

const MAX_TOKEN = 64 << 10;
const TOKEN_LIFETIME = 300;

/** Usage errors NO_SERVER, NO_TOKEN and GMS_NOT_RUNNING. */
export async function mcxMemberOf(
  group: string,
  args: MemberArgs,
  note: (text: string) => void,
): Promise<Omit<McxMemberOptions, "onEvent">> {
  const groupUri = uriOption(group, "GROUP");
  const user = await mcxUserOf(args, note);
  if (user.place.xcapRoot === undefined) throw usageError("NO_SERVER", "--xcap-root is needed, or --local");
  return { ...user, groupUri, patienceMs: durationOption(args.timeout, "--timeout") };
}

/** A user who needs no group. Errors as `mcxMemberOf`. */
export async function mcxUserOf(
  args: MemberArgs,
  note: (text: string) => void,
): Promise<Omit<McxUserOptions, "onEvent">> {
  const userUri = uriOption(args.user, "--user");
  const folder = args.local === true ? DEFAULT_FOLDER : args.local;
  const running = folder === undefined ? undefined : await readRunning(folder);
  const place = knownServers(args, running);
  const uri = args.mcxUri ?? running?.mcx?.uri;
  const sip = args.mcxSip ?? running?.mcx?.sip.udp;
  if (uri === undefined || sip === undefined) {
    throw usageError("NO_SERVER", "give --mcx-uri and --mcx-sip, or --local for the servers of this machine");
  }
  const { mcxTokenFile = args.tokenFile, filesUrl = running?.mcx?.filesUrl } = args;
  const ims = await imsOf(args);
  return {
    userUri,
    ...defined({ ims }),
    tolerance: toleranceOption(args),
    place,
    mcx: { uri, sip: sipServer(sip, "--mcx-sip") },
    ...defined({ filesUrl: filesUrl && httpUrlOption(filesUrl, "--files-url") }),
    ...clientTokens(args, userUri, folder),
    mcxToken:
      mcxTokenFile === undefined
        ? () => mcxDevelopmentToken(folder!, userUri, TOKEN_LIFETIME)
        : async () => fromUtf8(await readFile(mcxTokenFile, MAX_TOKEN), mcxTokenFile).trim(),
    note,
  };
}
