/**
 * A PostgreSQL of the tests' own: a cluster in a temporary folder, reached over a Unix socket in that folder, as safe
 * against loss of power as a real one (fsync is on). It ends with the process that started it, however that ends.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import pg from "pg";
import { describeWith } from "./foreign.ts";

const DEBIAN = "/usr/lib/postgresql";

/** Path of the program `postgres`, with `initdb` beside it. */
function findPostgres(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  return [
    ...(process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== ""),
    ...versions.map((version) => join(DEBIAN, version, "bin")),
  ]
    .map((folder) => join(folder, "postgres"))
    .find((path) => existsSync(path) && existsSync(join(path, "../initdb")));
}

const POSTGRES = findPostgres() ?? "postgres";

export function describeWithPostgres(name: string, tests: () => void): void {
  describeWith("PostgreSQL", POSTGRES, name, tests);
}

export interface Cluster {
  /** Makes an empty database and gives its URL. */
  createDatabase(): Promise<string>;
  /** kill -9 of the server and all its connections; `start` recovers. */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** A dump of a database as SQL text. */
  dump(url: string): string;
  /** Stops the server and deletes everything. */
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<Cluster> {
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
    const script = '"$0" "$@" >/dev/null 2>&1 & pid=$!; echo $pid; cat >/dev/null; kill -QUIT $pid; wait $pid';
    const options = ["-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "max_connections=60"];
    const stdio: ["pipe", "pipe", "ignore"] = ["pipe", "pipe", "ignore"];
    server = spawn("sh", ["-c", script, POSTGRES, ...options], { ...user, stdio, cwd: folder, detached: true });
    await answering(url("postgres"));
  };
  const end = async (signal: NodeJS.Signals) => {
    const child = server;
    server = undefined;
    if (child?.pid === undefined) return;
    const ended = new Promise((resolve) => child.once("close", resolve));
    if (signal === "SIGKILL") process.kill(-child.pid, signal);
    else child.stdin!.end();
    await ended;
  };

  await start();
  return {
    async createDatabase() {
      const name = `test${++databases}`;
      await once(url("postgres"), `CREATE DATABASE ${name}`);
      return url(name);
    },
    crash: () => end("SIGKILL"),
    start,
    dump: (of) =>
      execFileSync(bin("pg_dump"), ["-d", of], { ...user, cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 }),
    async stop() {
      await end("SIGQUIT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL does not run as root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string) => Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: "pipe" }));
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

async function answering(url: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await once(url, "SELECT 1");
      return;
    } catch (error) {
      if (tries === 300) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
