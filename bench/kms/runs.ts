/**
 * Measures how many users a second get keys, from the list in the database to the last commit: on PGlite and PostgreSQL,
 * without and with XML, beside the arithmetic alone. On the compiled package, since workers are started from files. The
 * processors are those that this process may use, PostgreSQL's own included.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { defined } from "../../base/defined.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { ROOT } from "../compile.ts";

export type Place = "none" | "pglite" | "postgresql";

export interface KmsPoint {
  /** "none": arithmetic only, nothing is kept. */
  readonly database: Place;
  readonly cores: number;
  /** Worker threads; with 0 the thread of the database computes. */
  readonly workers: number;
  readonly xml: boolean;
  readonly users: number;
  /** The best of all rounds. */
  readonly usersPerSecond: number;
  /** Processor time of this process a user, in ms: without that of PostgreSQL's server. */
  readonly processorMs: number;
}

export interface RunOptions {
  readonly cores: number;
  readonly workers: readonly number[];
  readonly databases: readonly Place[];
  readonly users: number;
  readonly rounds: number;
  readonly progress: (text: string) => void;
}

type Client = typeof import("../../bindings/index.ts");
type Kms = typeof import("../../bindings/kms.ts");
type Pools = typeof import("../../bindings/pool/kms.ts");
type Issue = typeof import("../../roles/kms/issue/index.ts");
type Store = typeof import("../../store/index.ts");
type Xml = typeof import("../../documents/kms-xml/index.ts");

/** A module of dist/; its types are those of the source. */
function compiled<T>(path: string): Promise<T> {
  return import(pathToFileURL(join(ROOT, "dist", path)).href) as Promise<T>;
}

const [client, kms, pools, issue, stores, xml] = await Promise.all([
  compiled<Client>("bindings/index.js"),
  compiled<Kms>("bindings/kms.js"),
  compiled<Pools>("bindings/pool/kms.js"),
  compiled<Issue>("roles/kms/issue/index.js"),
  compiled<Store>("store/index.js"),
  compiled<Xml>("documents/kms-xml/index.js"),
]);
type Core = Awaited<ReturnType<Client["load"]>>;
type KmsPool = Awaited<ReturnType<Pools["createKmsPool"]>>;
type KmsStore = ReturnType<Store["KmsStore"]["open"]>;

const KMS_URI = "kms.bench.example";
const NOW = Date.parse("2026-03-10T12:00:00Z");
const RULE = { userKeyPeriod: 2592000, userKeyOffset: 0 };
const BATCH = 64;

const usersOf = (count: number) =>
  Array.from({ length: count }, (_, i) => `sip:user${String(i).padStart(6, "0")}@bench.example`);

export async function measureIssue(options: RunOptions): Promise<KmsPoint[]> {
  const core = await client.load({ shared: true });
  const threads = new Map<number, KmsPool | undefined>();
  const points: KmsPoint[] = [];
  try {
    for (const workers of options.workers) {
      threads.set(workers, workers === 0 ? undefined : await pools.createKmsPool({ core, workers }));
    }
    for (const database of options.databases)
      points.push(...(await measureOn(database, core, threads, options)));
    return points;
  } finally {
    for (const pool of threads.values()) await pool?.destroy();
    core.destroy();
  }
}

async function measureOn(
  database: Place,
  core: Core,
  threads: ReadonlyMap<number, KmsPool | undefined>,
  { cores, users, rounds, progress }: RunOptions,
): Promise<KmsPoint[]> {
  if (database === "none") {
    return rows([false], arithmeticOf(core, users));
  }
  const { store, close } = await openStore(database, core, users);
  let period = 0;
  try {
    return await rows([false, true], (pool, withXml) => issueTo(store, core, pool, withXml, ++period));
  } finally {
    await close();
  }

  /** The rows take turns in each round; the first warms up and is not kept. */
  async function rows(
    forms: readonly boolean[],
    job: (pool: KmsPool | undefined, withXml: boolean) => Promise<void>,
  ): Promise<KmsPoint[]> {
    const best = new Map<string, KmsPoint>();
    for (let round = 0; round <= rounds; round++) {
      progress(`${database}, ${cores} core${cores === 1 ? "" : "s"}, round ${round} of ${rounds}`);
      for (const [workers, pool] of threads) {
        for (const withXml of forms) {
          const before = process.cpuUsage();
          const started = performance.now();
          await job(pool, withXml);
          const seconds = (performance.now() - started) / 1000;
          const { user, system } = process.cpuUsage(before);
          const usersPerSecond = Math.round(users / seconds);
          const processorMs = Number(((user + system) / 1000 / users).toFixed(3));
          const row = { database, cores, workers, xml: withXml, users, usersPerSecond, processorMs };
          const name = `${workers} ${withXml}`;
          if (round > 0 && usersPerSecond > (best.get(name)?.usersPerSecond ?? 0)) best.set(name, row);
        }
      }
    }
    return [...best.values()];
  }
}

function arithmeticOf(core: Core, users: number): (pool: KmsPool | undefined) => Promise<void> {
  const master = kms.KmsMaster.generate(core, client.systemRandom);
  const ids = Array.from({ length: users }, () => client.systemRandom(32));
  return async (pool) => {
    if (pool === undefined)
      for (let at = 0; at < users; at += BATCH) master.issueBatch(ids.slice(at, at + BATCH));
    else for await (const _ of pool.issueAll(master, ids));
  };
}

async function openStore(database: Place, core: Core, users: number) {
  const folder = mkdtempSync(join(tmpdir(), "kms-bench-"));
  const cluster = database === "postgresql" ? await startPostgres() : undefined;
  const db = await stores.openDatabase(cluster ? { url: await cluster.createDatabase() } : { folder });
  const store = stores.KmsStore.open(db, await stores.Envelope.open(db, client.systemRandom(32)));
  await issue.makeKms(store, { core, random: client.systemRandom, now: NOW, kmsUri: KMS_URI, ...RULE });
  await store.enrol(usersOf(users), NOW);
  const close = async () => {
    await db.close();
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { store, close };
}

/** All users, for a period that has no keys yet. */
async function issueTo(
  store: KmsStore,
  core: Core,
  pool: KmsPool | undefined,
  withXml: boolean,
  period: number,
): Promise<void> {
  const issuer = await issue.createKeyIssuer({ store, core, now: () => NOW, ...defined({ pool }) });
  const [certificate] = issuer.certificates();
  const first = Math.ceil((NOW / 1000 + client.NTP_UNIX_OFFSET) / RULE.userKeyPeriod);
  const onKeySet = (keySet: Parameters<NonNullable<Parameters<Issue["issueAll"]>[2]["onKeySet"]>>[0]) => {
    const document = xml.writeKmsResponse({
      userUri: keySet.userUri,
      kmsUri: certificate!.kmsUri,
      time: NOW,
      clientReqUrl: "https://kms.bench.example/keymanagement/identity/v1/keyprov",
      message: { type: "keyprov", keySets: [keySet] },
    });
    if (document.length < 500) throw new Error("no document");
  };
  await issue.issueAll(store, issuer, { periodNo: first + period, ...(withXml && { onKeySet }) });
  await issuer.destroy();
}
