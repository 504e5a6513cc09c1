/** PgBouncer in transaction mode before a cluster of the tests' own: each transaction gets whatever connection is free. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { type Cluster, unprivileged } from "./postgres.ts";

export const PGBOUNCER = "/usr/sbin/pgbouncer";
const PORT = 6432;

export interface Pooler {
  /** URL of the same database through the pooler. */
  through(url: string): string;
  stop(): Promise<void>;
}

export async function startPgbouncer({ folder }: Cluster, connections: number): Promise<Pooler> {
  const file = join(folder, "pgbouncer.ini");
  const settings = {
    pool_mode: "transaction",
    default_pool_size: connections,
    max_client_conn: 1000,
    auth_type: "any",
    listen_addr: "",
    unix_socket_dir: folder,
    listen_port: PORT,
    logfile: join(folder, "pgbouncer.log"),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  const databases = `* = host=${folder} port=5432 user=test`;
  writeFileSync(file, `[databases]\n${databases}\n[pgbouncer]\n${lines.join("\n")}\n`, { mode: 0o644 });
  const child = spawn(PGBOUNCER, [file], { ...unprivileged(), cwd: folder, stdio: "ignore" });
  const socket = join(folder, `.s.PGSQL.${PORT}`);
  // The socket is there a moment before PgBouncer listens on it.
  for (let tries = 0; !(await accepts(socket)); tries++) {
    if (tries === 400 || child.exitCode !== null) throw new Error("PgBouncer does not start");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    through(url) {
      const one = new URL(url);
      one.port = String(PORT);
      return one.href;
    },
    async stop() {
      child.kill("SIGTERM");
      child.kill("SIGINT");
      setTimeout(() => child.kill("SIGKILL"), 2000).unref();
      await ended;
    },
  };
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
