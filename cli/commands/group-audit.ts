/** `group audit`: who changed what, who read which keys, and what was refused. */
import type { Command } from "commander";
import { defined, ifDefined } from "../../base/defined.ts";
import type { GmsAuditRecord } from "../../store/gms/records.ts";
import { type GmsFolderArgs, gmsFolderOption } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { integerOption, uriOption } from "../terminal/options.ts";
import { type Json, table } from "../terminal/output.ts";
import { paged } from "../terminal/paged.ts";

interface Options extends GmsFolderArgs {
  actor?: string;
  refused?: boolean;
  after?: string;
  limit: string;
}

const MAX = 1_000_000;

export function registerGroupAudit(group: Command, runner: Runner): void {
  runner.define<[string | undefined], Options>(
    group,
    "audit",
    {
      summary: "show the audit log of the GMS",
      description:
        "Show the audit log of the GMS, oldest first, of all groups or of one: who changed what, who read which keys over " +
        "HTTP, and what was refused and why. Groups that were deleted have their entries too. It holds no keys.",
      example:
        "mikey-sakke group audit sip:fire@example.org\n" +
        "mikey-sakke group audit --actor operator --after 1200 --json\nmikey-sakke group audit --refused",
    },
    (command) =>
      gmsFolderOption(command.argument("[group]", "URI of a group"))
        .option("--actor <name>", "only what this user did, operator, or schedule")
        .option("--refused", "only what was refused")
        .option("--after <id>", "only entries after this one")
        .option("--limit <n>", "maximum number of entries", "100"),
    audit,
  );
}

async function audit({ output }: Context, options: Options, group: string | undefined): Promise<ExitStatus> {
  const limit = integerOption(options.limit, "--limit", 1, MAX);
  const after = ifDefined(options.after, integerOption, "--after", 0, 2 ** 53 - 1);
  const which = defined({
    groupUri: ifDefined(group, uriOption, "GROUP"),
    actor: options.actor,
    outcome: options.refused ? ("refused" as const) : undefined,
  });
  const { withGmsAdmin } = await import("../gms/with-admin.ts");
  const entries = await withGmsAdmin(options, (admin) =>
    paged(
      limit,
      (page) => admin.auditLog({ ...page, ...which }),
      ({ id }) => id,
      after,
    ),
  );
  output.result({ status: "ok", entries: entries.map(jsonOf) }, () =>
    entries.length === 0 ? ["no entries"] : linesOf(entries),
  );
  return EXIT.accepted;
}

function jsonOf(entry: GmsAuditRecord): { [key: string]: Json | undefined } {
  const detail = entry.detail as { [key: string]: Json } | undefined;
  return { ...entry, at: new Date(entry.at).toISOString(), detail };
}

function linesOf(entries: readonly GmsAuditRecord[]): string[] {
  return table([
    ["id", "time", "actor", "action", "group", "outcome"],
    ...entries.map(({ id, at, actor, action, groupUri = "", outcome, code }) => [
      String(id),
      new Date(at).toISOString(),
      actor,
      action,
      groupUri,
      code === undefined ? outcome : `${outcome} ${code}`,
    ]),
  ]);
}
