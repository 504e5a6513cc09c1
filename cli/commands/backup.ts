/** `backup` and `restore`. */
import type { Command } from "commander";
import { defined } from "../../base/defined.ts";
import { DEFAULT_FOLDER, folderOf, folderOptions } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";

interface BackupOptions {
  dataDir: string;
  config?: string;
  force?: boolean;
}

interface RestoreArgs {
  dataDir: string;
  database?: string;
  storeKey?: string;
  check?: boolean;
}

export function registerBackup(program: Command, runner: Runner): void {
  runner.define<[string], BackupOptions>(
    program,
    "backup",
    {
      summary: "copy the database of a data folder into a file",
      description:
        "Copy all that the database holds at one moment into a file, while the servers go on or while they stand: keys, " +
        "users, groups, members, messages, audit log, and the configuration without the place of the database. The " +
        "store key is not in it: without that key nobody can read the secrets in the file, nor restore it. Keep the " +
        "key apart from it.",
      example: "mikey-sakke backup mikey-sakke-2026-11-29.backup",
    },
    (command) =>
      folderOptions(command.argument("<file>", "the file to make")).option(
        "--force",
        "replace the file if it exists",
      ),
    backup,
  );
  runner.define<[string], RestoreArgs>(
    program,
    "restore",
    {
      summary: "put a backup into an empty database",
      description:
        "Put a backup into the empty database of a data folder, on this machine or another, on PGlite or PostgreSQL. The " +
        "server that it is of must not run any more. A folder without a configuration gets that of the backup. At the " +
        "next start each group gets a new GMK, since its members may have had newer ones than the backup has. What was " +
        "done after the backup is to be done again: members and users removed, keys revoked.",
      example:
        "mikey-sakke restore mikey-sakke-2026-11-29.backup --store-key store.key --database postgresql://gms@db/gms",
    },
    (command) =>
      command
        .argument("<file>", "the backup")
        .option("--data-dir <dir>", "folder of the servers", DEFAULT_FOLDER)
        .option("--database <url>", "PostgreSQL to restore into, which the configuration names from then on")
        .option("--store-key <file>", "the store key that the backup needs, if the folder does not have it")
        .option("--check", "only look whether the file is whole and the store key is the right one"),
    restore,
  );
}

async function backup({ output }: Context, options: BackupOptions, file: string): Promise<ExitStatus> {
  const { makeBackup } = await import("../backup/make.ts");
  const { rows, octets, storeKey, storeKeyFile } = await makeBackup(folderOf(options), file, {
    force: options.force === true,
  });
  output.result({ status: "ok", file, rows, octets, storeKey }, () => [
    `backup     ${file}: ${rows} rows, ${octets} octets`,
    `store key  ${storeKeyFile}, check value ${storeKey}: not in the backup, keep it elsewhere`,
  ]);
  return EXIT.accepted;
}

async function restore({ output }: Context, options: RestoreArgs, file: string): Promise<ExitStatus> {
  const { checkBackup, restoreBackup } = await import("../backup/restore.ts");
  const { dataDir, database, storeKey: storeKeyFile } = options;
  const given = {
    dataDir,
    ...defined({ database, storeKeyFile }),
  };
  if (options.check) {
    const { header, rows } = await checkBackup(file, given);
    const { program, version, storeKey } = header;
    output.result({ status: "ok", file, rows, program, format: version, storeKey }, () => [
      `${file}: whole, ${rows} rows, made by version ${program}; the store key is the right one`,
    ]);
    return EXIT.accepted;
  }
  const { rows, madeAt, place } = await restoreBackup(file, given);
  const made = new Date(madeAt).toISOString();
  output.result({ status: "ok", dataDir, rows, madeAt: made, database: place }, () => [
    `restored  ${rows} rows of ${made} into ${place}`,
    "",
    `Start the servers: mikey-sakke serve --data-dir ${dataDir}`,
    "Each group gets a new GMK then. Do again what was done after the backup: members and users removed, keys revoked.",
  ]);
  return EXIT.accepted;
}
