/**
 * PGlite: PostgreSQL inside the process, on a folder or in memory. On a folder every commit is on the disk when it
 * returns. PGlite leaves fsync out by default and its file system has none, so both are put in here: kill -9 and
 * loss of power take nothing that was committed.
 */
import { existsSync, fsyncSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type PGliteOptions as EngineOptions, PGlite, types } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import { MikeySakkeError } from "../../base/errors.ts";
import { fileError } from "../../base/file-error.ts";
import { storeError } from "./failures.ts";
import { lockFolder } from "./folder-lock.ts";
import { copyEmptyFolder, emptyImage } from "./pglite-image.ts";
import type { Database, Listener, QueryResult, Sql } from "./sql.ts";

/**
 * The pages that PostgreSQL keeps in memory. Its default is 128 MB, which Emscripten clears when they are mapped, so that all of
 * them are resident from the start.
 */
const BUFFERS = ["-c", "shared_buffers=16MB"];
const START = [...PGlite.defaultStartParams, ...BUFFERS];
/** fdatasync, the default of Linux, is not there in Emscripten and does nothing. */
const DURABLE = [...START.filter((flag) => flag !== "-F"), "-c", "wal_sync_method=fsync"];

/** Files of a new database that are brought to the disk at a time. */
const SYNCS = 16;

/** PGlite's own conversion goes octet by octet through arrays of strings. */
const CONVERSIONS: EngineOptions = {
  parsers: { [types.BYTEA]: (text: string) => new Uint8Array(Buffer.from(text.slice(2), "hex")) },
  serializers: { [types.BYTEA]: bytea },
};

function bytea(value: unknown): string {
  if (!(value instanceof Uint8Array)) throw new TypeError("bytea: expected Uint8Array");
  return `\\x${Buffer.from(value.buffer, value.byteOffset, value.length).toString("hex")}`;
}

export interface PgliteOptions {
  /** A new database in the folder has no tables, so that those of an older version can be put into it. */
  readonly bare?: boolean;
}

/**
 * In memory without a folder. A folder belongs to one process at a time: usage error STORE_LOCKED. A new database has the tables
 * that its image has: those of this version where the build has made one, otherwise none. `migrate` makes what is missing.
 */
export async function openPglite(folder?: string, { bare = false }: PgliteOptions = {}): Promise<Database> {
  if (folder === undefined) {
    return new PgliteDatabase(
      await PGlite.create({ ...CONVERSIONS, startParams: START, loadDataDir: await emptyImage() }),
      () => {},
    );
  }
  const root = resolve(folder);
  const unlock = lockedFolder(root);
  try {
    const data = join(root, "database");
    if (!existsSync(data)) await initialise(root, data, bare);
    return new PgliteDatabase(await openFolder(data), unlock);
  } catch (cause) {
    unlock();
    if (cause instanceof MikeySakkeError) throw cause;
    if (isOfSystem(cause)) throw fileError(root, cause);
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new MikeySakkeError(
      "transport",
      "STORE_UNREADABLE",
      `${root}: the database does not open (${text})`,
    );
  }
}

function lockedFolder(root: string): () => void {
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    return lockFolder(root);
  } catch (cause) {
    throw fileError(root, cause);
  }
}

/** Returns whether a call of the operating system failed, such as for want of room. What PGlite throws names no call. */
function isOfSystem(cause: unknown): boolean {
  return (cause as NodeJS.ErrnoException | undefined)?.syscall !== undefined;
}

function openFolder(data: string, image?: Blob): Promise<PGlite> {
  const load = image && { loadDataDir: image };
  return PGlite.create({ ...CONVERSIONS, fs: new SyncedFolder(data), startParams: DURABLE, ...load });
}

/** Made beside and renamed, so that what a kill leaves half made is never taken for a database. */
async function initialise(root: string, data: string, bare: boolean): Promise<void> {
  const fresh = `${data}.new`;
  rmSync(fresh, { recursive: true, force: true });
  try {
    const isCopied = copyEmptyFolder(fresh);
    if (!isCopied || bare) {
      const pglite = await openFolder(fresh, isCopied ? undefined : await emptyImage());
      if (bare) await pglite.exec("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
      await pglite.close();
    }
    await syncTree(fresh);
    renameSync(fresh, data);
  } catch (cause) {
    // On a full disk it would keep the room that others need.
    rmSync(fresh, { recursive: true, force: true });
    throw cause;
  }
  await syncOne(root);
}

/** Folders and files are written together, which takes the disk a fraction of the time that one after the other takes. */
async function syncTree(root: string): Promise<void> {
  const names = readdirSync(root, { recursive: true, encoding: "utf8" });
  const paths = [root, ...names.map((name) => join(root, name))].values();
  const each = async () => {
    for (const path of paths) await syncOne(path);
  };
  await Promise.all(Array.from({ length: SYNCS }, each));
}

async function syncOne(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

interface EmscriptenNodeFs {
  readonly stream_ops: { fsync?: (stream: { nfd?: number }) => number };
}

class SyncedFolder extends NodeFS {
  override async init(...args: Parameters<NodeFS["init"]>): ReturnType<NodeFS["init"]> {
    const { emscriptenOpts } = await super.init(...args);
    const addSync = (module: unknown) => {
      (module as { NODEFS: EmscriptenNodeFs }).NODEFS.stream_ops.fsync = ({ nfd }) => {
        if (nfd !== undefined) fsyncSync(nfd);
        return 0;
      };
    };
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), addSync] } };
  }
}

interface Runner {
  query<Row>(text: string, params?: unknown[]): Promise<{ rows: Row[]; affectedRows?: number }>;
}

async function run<Row>(runner: Runner, text: string, params: readonly unknown[]): Promise<QueryResult<Row>> {
  try {
    const { rows, affectedRows } = await runner.query<Row>(text, [...params]);
    return { rows, affected: affectedRows ?? 0 };
  } catch (error) {
    throw storeError(error);
  }
}

class PgliteDatabase implements Database {
  readonly kind = "pglite";
  readonly #pglite: PGlite;
  readonly #unlock: () => void;
  #closed: Promise<void> | undefined;

  constructor(pglite: PGlite, unlock: () => void) {
    this.#pglite = pglite;
    this.#unlock = unlock;
  }

  query<Row>(text: string, params: readonly unknown[] = []): Promise<QueryResult<Row>> {
    return run(this.#pglite, text, params);
  }

  async transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    try {
      // There is one connection, so nothing to conflict with and no second try.
      return await this.#pglite.transaction((tx) =>
        work({ query: (text, params = []) => run(tx, text, params) }),
      );
    } catch (error) {
      throw storeError(error);
    }
  }

  listen(channel: string, listener: Listener): () => Promise<void> {
    const listening = this.#pglite.listen(channel, (payload) => listener.heard(payload));
    listening.then(
      () => listener.state(true),
      // Closed before it began; whoever listens looks at the database instead.
      () => {},
    );
    return async () => {
      const stop = await listening.catch(() => undefined);
      await stop?.();
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#pglite.close().finally(this.#unlock);
    return this.#closed;
  }
}
