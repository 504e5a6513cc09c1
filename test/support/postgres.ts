/**
 * A PostgreSQL of the tests' own: a cluster in a temporary folder, reached over a Unix socket in that folder, as safe
 * against loss of power as a real one (fsync is on). It ends with the process that started it, however that ends.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import pg from "pg";
import { describeWith } from "./foreign.ts";

const DEBIAN = "/usr/lib/postgresql";

/** Path of the program `postgres`, with `initdb` beside it. */
function findPostgres(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  return (
    [
      ...(process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== ""),
      ...versions.map((version) => join(DEBIAN, version, "bin")),
    ]
      .map((folder) => join(folder, "postgres"))
      .filter((path) => existsSync(path))
      // A link on PATH need not have the other programs beside it.
      .map((path) => realpathSync(path))
      .find((path) => existsSync(join(path, "../initdb")))
  );
}

export const POSTGRES = findPostgres() ?? "postgres";

export function describeWithPostgres(name: string, tests: () => void): void {
  describeWith("PostgreSQL", POSTGRES, name, tests);
}

export interface Cluster {
  /** Makes an empty database and gives its URL. */
  createDatabase(): Promise<string>;
  /** kill -9 of the server and all its connections; `start` recovers. */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** The folder of its socket, in which other programs of its user may write. */
  readonly folder: string;
  /** A dump of a database as SQL text. */
  dump(url: string): string;
  /** Stops the server and deletes everything. */
  stop(): Promise<void>;
}

/** Starts a server with so many connections at most (`max_connections`). */
export async function startPostgres(connections = 60): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), "pg-"));
  const user = unprivileged();
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const bin = (program: string) => join(POSTGRES, "..", program);
  const initdb = ["-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--no-locale"];
  execFileSync(bin("initdb"), initdb, { ...user, stdio: "ignore", cwd: folder });
  const url = (database: string) => `postgresql://test@localhost/${database}?host=${folder}`;
  let server: ChildProcess | undefined;
  let databases = 0;

  const start = async () => {
    // The shell's input ends with this process, and takes the server along. Options from 1 on are the server's.
    const script =
      'exec 3<&0; "$0" "$@" >/dev/null 2>&1 3<&- & (cat <&3 >/dev/null; kill -QUIT $!) & wait $!';
    const options = [
      "-D",
      data,
      "-k",
      folder,
      "-c",
      "listen_addresses=",
      "-c",
      `max_connections=${connections}`,
    ];
    const stdio: ["pipe", "ignore", "ignore"] = ["pipe", "ignore", "ignore"];
    // After a crash a server starts only when the last of its predecessor's processes is gone.
    for (let tries = 0; ; tries++) {
      const child = spawn("sh", ["-c", script, POSTGRES, ...options], {
        ...user,
        stdio,
        cwd: folder,
        detached: true,
      });
      server = child;
      if (await answers(url("postgres"), child)) return;
      if (tries === 20) throw new Error("PostgreSQL does not start");
      await pause(200);
    }
  };
  const end = async (signal: NodeJS.Signals) => {
    const child = server;
    server = undefined;
    if (child?.pid === undefined) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    if (signal === "SIGKILL") process.kill(-child.pid, signal);
    else child.stdin!.end();
    await ended;
  };

  await start();
  return {
    folder,
    async createDatabase() {
      const name = `test${++databases}`;
      await once(url("postgres"), `CREATE DATABASE ${name}`);
      return url(name);
    },
    async crash() {
      // Each is a process group of its own.
      const pids = await backends(url("postgres"));
      await end("SIGKILL");
      for (const pid of pids) signal(pid, "SIGKILL");
      for (let tries = 0; tries < 10 && pids.some((pid) => signal(pid, 0)); tries++) await pause(25);
      // In a container without an init the dead stay zombies, and the server believes that they live.
      for (const lock of [join(data, "postmaster.pid"), join(folder, ".s.PGSQL.5432.lock")]) {
        rmSync(lock, { force: true });
      }
    },
    start,
    dump: (of) =>
      execFileSync(bin("pg_dump"), ["-d", of], {
        ...user,
        cwd: folder,
        encoding: "utf8",
        maxBuffer: 1 << 28,
      }),
    async stop() {
      await end("SIGQUIT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL does not run as root, nor do its helpers. */
export function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string) =>
        Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: "pipe" }));
      return { uid: id("-u"), gid: id("-g") };
    } catch {
      // No such user; the next may be there.
    }
  }
  return undefined;
}

async function once(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

async function backends(url: string): Promise<number[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  const query = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()";
  const { rows } = await client.query<{ pid: number }>(query).finally(() => client.end());
  return rows.map(({ pid }) => pid);
}

/** False where the process is gone. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** False when the server ended instead. */
async function answers(url: string, child: ChildProcess): Promise<boolean> {
  for (let tries = 0; ; tries++) {
    try {
      await once(url, "SELECT 1");
      return true;
    } catch (error) {
      if (child.exitCode !== null || child.signalCode !== null) return false;
      if (tries === 600) throw error;
      await pause(50);
    }
  }
}
