/** `group create`, `set`, `add`, `remove` and `delete`: groups and their members. */
import type { Command } from "commander";
import type { Changed } from "../../roles/gms/common/ports.ts";
import {
  type MemberArgs,
  memberOptions,
  membersOf,
  type SettingArgs,
  settingOptions,
  settingsOf,
} from "../gms/group-options.ts";
import { type GmsFolderArgs, gmsFolderOption } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { integerOption, serviceIdOption, uriOption } from "../terminal/options.ts";
import { counted, type Output } from "../terminal/output.ts";
import { usageError } from "../terminal/usage.ts";

interface IfRevision {
  ifRevision?: string;
}

const IF_REVISION = ["--if-revision <n>", "only if the group's revision is this one"] as const;

export function registerGroupChange(group: Command, runner: Runner): void {
  runner.define<[string, string[]], GmsFolderArgs & MemberArgs & SettingArgs>(
    group,
    "create",
    {
      summary: "make a group and its first GMK",
      description:
        "Create a group and its first GMK, which goes to all members at once. Without --service the group has MCPTT and MCData.",
      example:
        "mikey-sakke group create sip:fire@example.org sip:alice@example.org sip:bob@example.org\n" +
        'mikey-sakke group create sip:fire@example.org --members members.txt --name "Fire brigade" --rekey-every 7d',
    },
    (command) =>
      settingOptions(
        memberOptions(
          gmsFolderOption(command.argument("<group>", "URI of the group").argument("[member...]", "members")),
        ),
      ),
    create,
  );
  runner.define<[string], GmsFolderArgs & SettingArgs & IfRevision>(
    group,
    "set",
    {
      summary: "change the settings of a group",
      description: "Change those settings of a group that are given.",
      example: "mikey-sakke group set sip:fire@example.org --rekey-every 24h",
    },
    (command) =>
      settingOptions(gmsFolderOption(command.argument("<group>", "URI of the group"))).option(...IF_REVISION),
    set,
  );
  runner.define<[string, string[]], GmsFolderArgs & MemberArgs>(
    group,
    "add",
    {
      summary: "add members",
      description:
        "Add members. They get the GMKs in use; if the group is set to rekey on add, all members get a new one.",
      example: "mikey-sakke group add sip:fire@example.org sip:carol@example.org",
    },
    (command) =>
      memberOptions(
        gmsFolderOption(command.argument("<group>", "URI of the group").argument("[member...]", "members")),
      ),
    add,
  );
  runner.define<[string, string[]], GmsFolderArgs>(
    group,
    "remove",
    {
      summary: "remove members",
      description: "Remove members. Those who stay get a new GMK at once.",
      example: "mikey-sakke group remove sip:fire@example.org sip:bob@example.org",
    },
    (command) =>
      gmsFolderOption(command.argument("<group>", "URI of the group").argument("<member...>", "members")),
    remove,
  );
  runner.define<[string], GmsFolderArgs & IfRevision>(
    group,
    "delete",
    {
      summary: "delete a group and revoke its GMKs",
      description: "Delete a group. GMKs that no other group shares are revoked.",
      example: "mikey-sakke group delete sip:fire@example.org",
    },
    (command) => gmsFolderOption(command.argument("<group>", "URI of the group")).option(...IF_REVISION),
    deleteGroup,
  );
}

async function create(
  { output, stdin }: Context,
  options: GmsFolderArgs & MemberArgs & SettingArgs,
  group: string,
  uris: string[],
): Promise<ExitStatus> {
  const uri = serviceIdOption(group, "GROUP");
  const members = await membersOf(uris, options, stdin, true);
  const settings = settingsOf(options);
  const { OPERATOR, withGmsAdmin } = await import("../gms/with-admin.ts");
  const changed = await withGmsAdmin(options, (admin) =>
    admin.createGroup(OPERATOR, { uri, members, settings }),
  );
  return tell(output, changed, `made ${uri} with ${counted(members.length, "member")}`);
}

async function set(
  { output }: Context,
  options: GmsFolderArgs & SettingArgs & IfRevision,
  group: string,
): Promise<ExitStatus> {
  const settings = settingsOf(options);
  if (Object.keys(settings).length === 0) throw usageError("NO_SETTING", "give settings, see --help");
  const uri = uriOption(group, "GROUP");
  const revision = revisionOf(options);
  const { OPERATOR, withGmsAdmin } = await import("../gms/with-admin.ts");
  const changed = await withGmsAdmin(options, (admin) =>
    admin.changeGroup(OPERATOR, uri, settings, revision),
  );
  return tell(output, changed, `changed ${uri}`);
}

async function add(
  { output, stdin }: Context,
  options: GmsFolderArgs & MemberArgs,
  group: string,
  uris: string[],
): Promise<ExitStatus> {
  const uri = uriOption(group, "GROUP");
  const members = await membersOf(uris, options, stdin);
  const { OPERATOR, withGmsAdmin } = await import("../gms/with-admin.ts");
  const changed = await withGmsAdmin(options, (admin) => admin.addMembers(OPERATOR, uri, members));
  return tell(output, changed, `added ${counted(members.length, "member")} to ${uri}`);
}

async function remove(
  { output }: Context,
  options: GmsFolderArgs,
  group: string,
  uris: string[],
): Promise<ExitStatus> {
  const uri = uriOption(group, "GROUP");
  const members = uris.map((member) => uriOption(member, "MEMBER"));
  const { OPERATOR, withGmsAdmin } = await import("../gms/with-admin.ts");
  const changed = await withGmsAdmin(options, (admin) => admin.removeMembers(OPERATOR, uri, members));
  return tell(output, changed, `removed ${counted(members.length, "member")} from ${uri}`);
}

async function deleteGroup(
  { output }: Context,
  options: GmsFolderArgs & IfRevision,
  group: string,
): Promise<ExitStatus> {
  const uri = uriOption(group, "GROUP");
  const revision = revisionOf(options);
  const { OPERATOR, withGmsAdmin } = await import("../gms/with-admin.ts");
  await withGmsAdmin(options, (admin) => admin.deleteGroup(OPERATOR, uri, revision));
  output.result({ status: "ok", group: uri, deleted: true }, () => [`deleted ${uri}`]);
  return EXIT.accepted;
}

function revisionOf({ ifRevision }: IfRevision): number | undefined {
  return ifRevision === undefined ? undefined : integerOption(ifRevision, "--if-revision", 0, 2 ** 53 - 1);
}

async function tell(
  output: Output,
  { group, rekeys, warnings = [] }: Changed,
  line: string,
): Promise<ExitStatus> {
  const { changeLine, groupJson, rekeyJson } = await import("../gms/view.ts");
  output.result(
    { status: "ok", ...groupJson(group), rekeys: rekeys.map(rekeyJson), warnings: [...warnings] },
    () => [line, ...changeLine(rekeys), ...warnings.map((warning) => `warning: ${warning}`)],
  );
  return EXIT.accepted;
}
