/** Members and settings of a group on the command line. */
import { type Command, Option } from "commander";
import { defined, ifDefined } from "../../base/defined.ts";
import type { NewMember } from "../../roles/gms/common/ports.ts";
import type { GroupSettings, McService, MemberKind } from "../../store/gms/records.ts";
import { collect } from "../terminal/command.ts";
import { durationOption } from "../terminal/durations.ts";
import { type ByteSource, STDIN } from "../terminal/files.ts";
import { memberListFile, requireDistinct, serviceIdOption, uriOption } from "../terminal/options.ts";
import { usageError } from "../terminal/usage.ts";

const SERVICES: readonly McService[] = ["mcptt", "mcvideo", "mcdata"];
const KINDS: readonly MemberKind[] = ["user", "mcx-server", "gms"];

export interface MemberArgs {
  members?: string;
  kind: MemberKind;
  memberKms?: string;
}

export function memberOptions(command: Command): Command {
  return command
    .option(
      "--members <file>",
      "file with one URI a line, behind it the KmsUri of its KMS if it is another; - is standard input",
    )
    .addOption(new Option("--kind <kind>", "what those that are named are").choices(KINDS).default("user"))
    .option("--member-kms <uri>", "KmsUri of those that are named, if it is not the KMS of the GMS");
}

/**
 * Members named on the command line and in the file. They must be distinct, and there must be at least one unless
 * `none` is allowed.
 */
export async function membersOf(
  uris: readonly string[],
  { members: file, kind, memberKms }: MemberArgs,
  stdin: ByteSource,
  none = false,
): Promise<NewMember[]> {
  const named = uris.map((uri) => ({ uri: serviceIdOption(uri, "MEMBER") }));
  const listed = file === undefined ? [] : await memberListFile(file, stdin, "--members");
  const all = [...named, ...listed];
  if (all.length === 0 && !none) {
    throw usageError("NO_MEMBER", `give URIs, or --members FILE (${STDIN} is standard input)`);
  }
  requireDistinct(
    all.map(({ uri }) => uri),
    "--members",
  );
  const kmsUri = memberKms === undefined ? undefined : uriOption(memberKms, "--member-kms");
  return all.map((member): NewMember => ({ kind, ...defined({ kmsUri }), ...member }));
}

export interface SettingArgs {
  name?: string;
  service?: McService[];
  manager?: string[];
  rekeyEvery?: string;
  gmkLifetime?: string;
  rekeyOnAdd?: boolean;
}

export function settingOptions(command: Command): Command {
  return command
    .option("--name <text>", "display name")
    .addOption(
      new Option(
        "--service <service>",
        "service that the group has: mcptt and mcdata where none is given; may be repeated",
      )
        .choices(SERVICES)
        .argParser((value: string, previous: string[] | undefined) => {
          if (!SERVICES.includes(value as McService)) {
            throw usageError("BAD_CALL", `--service: "${value}" is none of ${SERVICES.join(", ")}`);
          }
          return collect(value, previous);
        }),
    )
    .option("--manager <uri>", "user who may manage the group; may be repeated", collect)
    .option("--rekey-every <span>", "a new GMK so often, as 12h or 7d; never")
    .option(
      "--gmk-lifetime <span>",
      "how long a GMK serves after its activation; never leaves it to the policy of the GMS",
    )
    .option("--rekey-on-add", "a new GMK also when members are added")
    .option("--no-rekey-on-add", "members that are added get the GMKs that there are");
}

/** The settings that were given. */
export function settingsOf(options: SettingArgs): Partial<GroupSettings> {
  const { name, service, manager, rekeyEvery, gmkLifetime, rekeyOnAdd } = options;
  return defined({
    displayName: name,
    services: service,
    managers: manager?.map((uri) => serviceIdOption(uri, "--manager")),
    rekeyEveryMs: ifDefined(rekeyEvery, spanOrNever, "--rekey-every"),
    gmkLifetimeMs: ifDefined(gmkLifetime, spanOrNever, "--gmk-lifetime"),
    rekeyOnAdd,
  });
}

function spanOrNever(text: string, option: string): number {
  return text === "never" ? 0 : durationOption(text, option);
}
