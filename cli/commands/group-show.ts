/** `group list`, `show`, `keys` and `status`: what there is. */
import type { Command } from "commander";
import { defined } from "../../base/defined.ts";
import type { GmsAdmin } from "../../roles/gms/common/ports.ts";
import { type GmsFolderArgs, gmsFolderOption } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { integerOption, uriOption } from "../terminal/options.ts";
import { paged } from "../terminal/paged.ts";
import { usageError } from "../terminal/usage.ts";

interface Limited extends GmsFolderArgs {
  limit: string;
}

const MAX_SHOWN = 1_000_000;
const PAGE = 1000;
const LIMIT = ["--limit <n>", "at most so many"] as const;

export function registerGroupShow(group: Command, runner: Runner): void {
  runner.define<[], Limited>(
    group,
    "list",
    { summary: "list the groups", example: "mikey-sakke group list --json" },
    (command) => gmsFolderOption(command).option(...LIMIT, "1000"),
    list,
  );
  runner.define<[string], Limited>(
    group,
    "show",
    {
      summary: "show settings and members of a group",
      example: "mikey-sakke group show sip:fire@example.org",
    },
    (command) => gmsFolderOption(command.argument("<group>", "URI of the group")).option(...LIMIT, "1000"),
    show,
  );
  runner.define<[string], GmsFolderArgs>(
    group,
    "keys",
    {
      summary: "show the GMKs of a group",
      description:
        "Show the GMKs of a group: GMK-ID, state, activation and expiry. The keys themselves are not shown.",
      example: "mikey-sakke group keys sip:fire@example.org",
    },
    (command) => gmsFolderOption(command.argument("<group>", "URI of the group")),
    keys,
  );
  runner.define<[string | undefined], Limited & { rekey?: string }>(
    group,
    "status",
    {
      summary: "show rekeys and who got which",
      description:
        "Show the rekeys, the newest first: of all groups or of one. With --rekey, one of them with all its members.",
      example: "mikey-sakke group status sip:fire@example.org\nmikey-sakke group status --rekey 12",
    },
    (command) =>
      gmsFolderOption(command.argument("[group]", "URI of a group"))
        .option("--rekey <n>", "number of a rekey")
        .option(...LIMIT, "1000"),
    status,
  );
}

async function list({ output }: Context, options: Limited): Promise<ExitStatus> {
  const limit = limitOf(options);
  const { withGmsAdmin } = await import("../gms/with-admin.ts");
  const { groupJson, groupsLines } = await import("../gms/view.ts");
  const groups = await withGmsAdmin(options, (admin) =>
    paged(
      limit,
      (page) => admin.groups(page),
      ({ uri }) => uri,
    ),
  );
  output.result({ status: "ok", groups: groups.map(groupJson) }, () => groupsLines(groups));
  return EXIT.accepted;
}

async function show({ output }: Context, options: Limited, group: string): Promise<ExitStatus> {
  const uri = uriOption(group, "GROUP");
  const limit = limitOf(options);
  const { withGmsAdmin } = await import("../gms/with-admin.ts");
  const { groupJson, groupLines, memberJson, memberLines } = await import("../gms/view.ts");
  const { found, members } = await withGmsAdmin(options, async (admin) => ({
    found: await requireGroup(admin, uri),
    members: await paged(
      limit,
      (page) => admin.members(uri, page),
      (member) => member.uri,
    ),
  }));
  output.result({ status: "ok", ...groupJson(found), members: members.map(memberJson) }, () => [
    ...groupLines(found),
    "",
    ...memberLines(members),
  ]);
  return EXIT.accepted;
}

async function keys({ output }: Context, options: GmsFolderArgs, group: string): Promise<ExitStatus> {
  const uri = uriOption(group, "GROUP");
  const { withGmsAdmin } = await import("../gms/with-admin.ts");
  const { gmkJson, gmkLines } = await import("../gms/view.ts");
  const gmks = await withGmsAdmin(options, async (admin) => {
    await requireGroup(admin, uri);
    return admin.gmks(uri);
  });
  output.result({ status: "ok", group: uri, gmks: gmks.map(gmkJson) }, () => gmkLines(gmks));
  return EXIT.accepted;
}

async function status(
  { output }: Context,
  options: Limited & { rekey?: string },
  group: string | undefined,
): Promise<ExitStatus> {
  const limit = limitOf(options);
  const { withGmsAdmin } = await import("../gms/with-admin.ts");
  const view = await import("../gms/view.ts");
  if (options.rekey !== undefined) {
    const id = integerOption(options.rekey, "--rekey", 1, 2 ** 53 - 1);
    const { rekey, deliveries } = await withGmsAdmin(options, async (admin) => ({
      rekey: await admin.rekeyStatus(id),
      deliveries: await paged(
        limit,
        (page) => admin.deliveries(id, page),
        ({ memberUri }) => memberUri,
      ),
    }));
    output.result(
      { status: "ok", ...view.rekeyJson(rekey), deliveries: deliveries.map(view.deliveryJson) },
      () => [...view.rekeyLines([rekey]), ...view.traceLine(rekey), "", ...view.deliveryLines(deliveries)],
    );
    return EXIT.accepted;
  }
  const groupUri = group === undefined ? undefined : uriOption(group, "GROUP");
  const rekeys = await withGmsAdmin(options, async (admin) => {
    if (groupUri !== undefined) await requireGroup(admin, groupUri);
    return admin.rekeys({ limit: Math.min(limit, PAGE), ...defined({ groupUri }) });
  });
  output.result({ status: "ok", rekeys: rekeys.map(view.rekeyJson) }, () => view.rekeyLines(rekeys));
  return EXIT.accepted;
}

async function requireGroup(admin: GmsAdmin, uri: string) {
  const group = await admin.group(uri);
  if (group === undefined) throw usageError("GROUP_UNKNOWN", `${uri}: no such group`);
  return group;
}

function limitOf({ limit }: Limited): number {
  return integerOption(limit, "--limit", 1, MAX_SHOWN);
}
