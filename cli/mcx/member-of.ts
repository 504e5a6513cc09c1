/** Who a command is a member as, and where its servers are. */
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
import type { MemberArgs } from "./member-options.ts";

const MAX_TOKEN = 64 << 10;
const TOKEN_LIFETIME = 300;

/** Usage errors NO_SERVER, NO_TOKEN and GMS_NOT_RUNNING. */
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
