/** `kms audit`: the keys that users were issued, the refusals, and what operators did. */
import type { Command } from "commander";
import { defined, ifDefined } from "../../base/defined.ts";
import { folderOf, folderOptions } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { integerOption } from "../terminal/options.ts";
import { type Json, table } from "../terminal/output.ts";
import { paged } from "../terminal/paged.ts";

interface Options {
  dataDir: string;
  config?: string;
  user?: string;
  after?: string;
  limit: string;
}

const MAX = 1_000_000;

export function registerKmsAudit(kms: Command, runner: Runner): void {
  runner.define<[], Options>(
    kms,
    "audit",
    {
      summary: "show the audit log",
      description:
        "Show the audit log, oldest first: what was issued to whom, what was refused and why, what operators did. " +
        "It holds no keys.",
      example:
        "mikey-sakke kms audit --user sip:alice@example.org\nmikey-sakke kms audit --after 1200 --json",
    },
    (command) =>
      folderOptions(command)
        .option("--user <uri>", "only what concerns this user")
        .option("--after <id>", "only entries after this one")
        .option("--limit <n>", "maximum number of entries", "100"),
    audit,
  );
}

async function audit({ output }: Context, options: Options): Promise<ExitStatus> {
  const limit = integerOption(options.limit, "--limit", 1, MAX);
  const after = ifDefined(options.after, integerOption, "--after", 0, 2 ** 53 - 1);
  const { withAdmin } = await import("../kms/with-admin.ts");
  const which = defined({ userUri: options.user });
  const entries = await withAdmin(folderOf(options), (admin) =>
    paged(
      limit,
      (page) => admin.auditLog({ ...page, ...which }),
      ({ id }) => id,
      after,
    ),
  );
  const shown = entries.map((entry) => ({
    ...entry,
    at: new Date(entry.at).toISOString(),
    detail: entry.detail as { [key: string]: Json } | undefined,
  }));
  output.result({ status: "ok", entries: shown }, () =>
    shown.length === 0
      ? ["no entries"]
      : table([
          ["id", "time", "actor", "action", "user", "period", "outcome"],
          ...shown.map((e) => [
            String(e.id),
            e.at,
            e.actor,
            e.action,
            e.userUri ?? "",
            e.periodNo === undefined ? "" : String(e.periodNo),
            e.code === undefined ? e.outcome : `${e.outcome} ${e.code}`,
          ]),
        ]),
  );
  return EXIT.accepted;
}
