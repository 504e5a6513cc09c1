/** `kms user`: who gets keys. */
import type { Command } from "commander";
import { lookAlikeWarnings, spelledOut } from "../../documents/group-xml/index.ts";
import { folderOf, folderOptions } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { type ByteSource, STDIN } from "../terminal/files.ts";
import {
  integerOption,
  requireDistinct,
  serviceIdOption,
  uriListFile,
  uriOption,
} from "../terminal/options.ts";
import { table } from "../terminal/output.ts";
import { paged } from "../terminal/paged.ts";
import { usageError } from "../terminal/usage.ts";

interface FolderArgs {
  dataDir: string;
  config?: string;
}

const MAX_SHOWN = 1_000_000;

export function registerKmsUser(kms: Command, runner: Runner): void {
  const user = kms.command("user").summary("enrol and revoke users").description("Enrol and revoke users.");
  runner.define<[string[]], FolderArgs & { users?: string }>(
    user,
    "add",
    {
      summary: "enrol users",
      description:
        "Enrol users. Needed for kms issue, and where the policy has autoEnrol false. A revoked user stays revoked.",
      example: "mikey-sakke kms user add sip:alice@example.org sip:bob@example.org",
    },
    (command) =>
      folderOptions(command.argument("[uri...]", "users")).option(
        "--users <file>",
        "file with one URI a line; - is standard input",
      ),
    add,
  );
  runner.define<[string], FolderArgs & { reason: string }>(
    user,
    "revoke",
    {
      summary: "give a user no further keys",
      description:
        "Give a user no further keys. The keys that the user has work until their key period ends: revoke the group " +
        "keys as well.",
      example: 'mikey-sakke kms user revoke sip:alice@example.org --reason "radio lost"',
    },
    (command) =>
      folderOptions(command.argument("<uri>", "user")).option(
        "--reason <text>",
        "for the audit log",
        "revoked",
      ),
    revoke,
  );
  runner.define<[string], FolderArgs>(
    user,
    "reinstate",
    {
      summary: "give keys to a revoked user again",
      example: "mikey-sakke kms user reinstate sip:alice@example.org",
    },
    (command) => folderOptions(command.argument("<uri>", "user")),
    reinstate,
  );
  runner.define<[], FolderArgs & { after?: string; limit?: string }>(
    user,
    "list",
    { summary: "list the users", example: "mikey-sakke kms user list --json" },
    (command) =>
      folderOptions(command)
        .option("--after <uri>", "only users after this one")
        .option("--limit <n>", "maximum number of users (default: all)"),
    list,
  );
}

async function add(
  { output, stdin }: Context,
  options: FolderArgs & { users?: string },
  args: string[],
): Promise<ExitStatus> {
  const uris = await urisOf(args, options.users, stdin);
  const { withAdmin } = await import("../kms/with-admin.ts");
  const added = await withAdmin(folderOf(options), (admin) => admin.enrol(uris));
  const warnings = lookAlikeWarnings(uris, []);
  output.result({ status: "ok", added, already: uris.length - added, warnings }, () => [
    `${added} enrolled${added < uris.length ? `, ${uris.length - added} were enrolled before` : ""}`,
    ...warnings.map((warning) => `warning: ${warning}`),
  ]);
  return EXIT.accepted;
}

async function urisOf(
  args: readonly string[],
  file: string | undefined,
  stdin: ByteSource,
): Promise<string[]> {
  const inFile = file === undefined ? [] : await uriListFile(file, stdin, "--users");
  const uris = [...args.map((uri) => serviceIdOption(uri, "URI")), ...inFile];
  if (uris.length === 0)
    throw usageError("NO_USER", `give URIs, or --users FILE (${STDIN} is standard input)`);
  requireDistinct(uris, "--users");
  return uris;
}

async function revoke(
  { output }: Context,
  options: FolderArgs & { reason: string },
  uri: string,
): Promise<ExitStatus> {
  const { withAdmin } = await import("../kms/with-admin.ts");
  await withAdmin(folderOf(options), (admin) => admin.revokeUser(uriOption(uri, "URI"), options.reason));
  output.result({ status: "ok", user: uri, revoked: true, reason: options.reason }, () => [
    `${uri} is revoked: no further keys`,
  ]);
  return EXIT.accepted;
}

async function reinstate({ output }: Context, options: FolderArgs, uri: string): Promise<ExitStatus> {
  const { withAdmin } = await import("../kms/with-admin.ts");
  await withAdmin(folderOf(options), (admin) => admin.reinstateUser(uriOption(uri, "URI")));
  output.result({ status: "ok", user: uri, revoked: false }, () => [`${uri} gets keys again`]);
  return EXIT.accepted;
}

async function list(
  { output }: Context,
  options: FolderArgs & { after?: string; limit?: string },
): Promise<ExitStatus> {
  const limit =
    options.limit === undefined ? MAX_SHOWN : integerOption(options.limit, "--limit", 1, MAX_SHOWN);
  const { withAdmin } = await import("../kms/with-admin.ts");
  const users = await withAdmin(folderOf(options), (admin) =>
    paged(
      limit,
      (page) => admin.users(page),
      ({ uri }) => uri,
      options.after,
    ),
  );
  const time = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());
  const rows = users.map(({ uri, enrolledAt, revokedAt, reason }) => ({
    uri,
    enrolled: time(enrolledAt)!,
    revoked: time(revokedAt),
    reason,
  }));
  output.result({ status: "ok", users: rows }, () =>
    rows.length === 0
      ? ["no users"]
      : table([
          ["user", "enrolled", "revoked"],
          ...rows.map(({ uri, enrolled, revoked, reason }) => [
            spelledOut(uri),
            enrolled,
            revoked === undefined ? "" : `${revoked}  ${reason ?? ""}`,
          ]),
        ]),
  );
  return EXIT.accepted;
}
