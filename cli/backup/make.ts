/** `backup`: a file with all that the database of a data folder holds at one moment, whether servers run on it or not. */

import { once } from "node:events";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { MikeySakkeError } from "../../base/errors.ts";
import { BACKUP_PATH } from "../../roles/server/backup-route.ts";
import { refusalOf } from "../../roles/server/wire-error.ts";
import {
  type Database,
  openPglite,
  openPostgres,
  requireStoreKey,
  writeSnapshot,
} from "../../store/index.ts";
import { chunksOf } from "../../transport/http/body.ts";
import { createFile, replaceFile } from "../files/durable.ts";
import { gmsAdminFileOf } from "../gms/gms-folder.ts";
import { type AdminAccess, runningServer } from "../server/admin-file.ts";
import { exists, type FolderOptions, readConfig } from "../server/data-folder.ts";
import { environmentOf } from "../server/environment.ts";
import { markOf, withStoreKey } from "../server/store-key.ts";
import { requireAbsent } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";
import { VERSION } from "../terminal/version.ts";
import { type FolderDatabase, folderDatabase } from "./folder-database.ts";
import { packBackup } from "./format.ts";
import { linesOf } from "./lines.ts";

export interface MadeBackup {
  readonly rows: number;
  readonly octets: number;
  /** See `markOf`. */
  readonly storeKey: string;
  readonly storeKeyFile: string;
}

/**
 * @throws {MikeySakkeError} usage `FILE_EXISTS`, `NO_DATABASE`, `WRONG_STORE_KEY`, `STORE_LOCKED`; transport
 *   `BACKUP_BROKEN_OFF`
 */
export async function makeBackup(
  options: FolderOptions,
  file: string,
  { force }: { readonly force: boolean },
): Promise<MadeBackup> {
  await requireAbsent([file], force);
  const place = await folderDatabase(options);
  const config = portable(await readConfig(place.configFile, {}));
  const source = { file: place.files.storeKey, environment: environmentOf() };
  return withStoreKey(source, async (storeKey) => {
    let rows = 0;
    await withSnapshot(place, async (pieces) => {
      const database = place.database?.url === undefined ? "pglite" : "postgresql";
      const lines = checked(linesOf(pieces), storeKey, (count) => {
        rows = count;
      });
      const content = packBackup({ program: VERSION, database, config }, lines, storeKey);
      // The name is taken when all is there: a backup that was broken off has none.
      if (force) await replaceFile(file, content, { secret: true });
      else if (!(await createFile(file, content, { secret: true }))) {
        throw usageError("FILE_EXISTS", `${file}: exists already`);
      }
    });
    const { size: octets } = await stat(file);
    return { rows, octets, storeKey: markOf(storeKey), storeKeyFile: place.files.storeKey };
  });
}

/** A configuration for any machine: where databases were says nothing of where they are going to be. */
function portable(config: object): Record<string, unknown> {
  const parts = Object.entries(config).map(([server, part]) => {
    const { database: _, ...rest } = part as Record<string, unknown>;
    return [server, rest] as const;
  });
  return Object.fromEntries(parts);
}

async function withSnapshot(
  { database, files }: FolderDatabase,
  use: (pieces: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  const { url } = database ?? {};
  if (url !== undefined) return withDatabase(openPostgres(url, { max: 1 }), use);
  for (const admin of [files.admin, gmsAdminFileOf(join(files.admin, ".."))]) {
    const running = await runningServer(admin, fetch);
    if (running !== undefined) return use(fromServer(running));
  }
  if (!(await exists(join(files.database, "database")))) {
    throw usageError("NO_DATABASE", `${files.database}: there is no database here`);
  }
  return withDatabase(await openPglite(files.database), use);
}

async function withDatabase(
  db: Database,
  use: (pieces: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  const pieces = new PassThrough();
  const written = writeSnapshot(db, async (lines) => {
    if (!pieces.write(lines)) await once(pieces, "drain");
  }).then(
    () => void pieces.end(),
    (error: unknown) => void pieces.destroy(error as Error),
  );
  try {
    await use(pieces);
  } finally {
    // A reader that has stopped must not hold up the server.
    pieces.destroy(new MikeySakkeError("transport", "BACKUP_BROKEN_OFF", "the backup was broken off"));
    await written;
    await db.close();
  }
}

async function* fromServer({ url, token }: AdminAccess): AsyncGenerator<Uint8Array> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(new URL(BACKUP_PATH, url), { headers, redirect: "error" }).catch((cause) => {
    throw new MikeySakkeError("transport", "ADMIN_UNREACHABLE", `${url}: no answer`, { cause });
  });
  if (!answer.ok) throw await refusalOf(answer, url);
  try {
    yield* chunksOf(answer.body);
  } catch (cause) {
    throw new MikeySakkeError("transport", "BACKUP_BROKEN_OFF", `${url}: the answer broke off`, { cause });
  }
}

/** Passes on what is whole, and of a database that this store key opens: a backup without its key would be worth nothing. */
async function* checked(
  lines: AsyncIterable<Buffer>,
  storeKey: Uint8Array,
  counted: (rows: number) => void,
): AsyncGenerator<Uint8Array> {
  let table: unknown;
  let end: number | undefined;
  for await (const line of lines) {
    if (line[0] === 0x5b) {
      const [name, value] = JSON.parse(line.toString()) as [string, unknown];
      if (name === "table") table = value;
      if (name === "end") end = value as number;
    } else if (table === "store_key") {
      const { id, wrapped } = JSON.parse(line.toString()) as { id: number; wrapped: string };
      requireStoreKey(storeKey, { id, wrapped: Buffer.from(wrapped.slice(2), "hex") });
    }
    yield line;
  }
  if (end === undefined) {
    throw new MikeySakkeError(
      "transport",
      "BACKUP_BROKEN_OFF",
      "the server stopped before the backup was whole",
    );
  }
  counted(end);
}
