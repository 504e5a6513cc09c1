/** A KMS out of its data folder: database, store key, core. Its listeners are for whoever wants them. */
import { load } from "../../bindings/core.ts";
import { createKmsPool } from "../../bindings/pool/kms.ts";
import { systemRandom } from "../../bindings/random.ts";
import { createKms, type Kms, type KmsOptions } from "../../roles/kms/create.ts";
import { Envelope, KmsStore, openDatabase } from "../../store/index.ts";
import type { DataFolder } from "./data-folder.ts";
import { developmentIssuerOf } from "./development-tokens.ts";
import { withStoreKey } from "./store-key.ts";

export interface OpenedKms {
  readonly kms: Kms;
  /** The KMS first, then what it stood on. */
  close(): Promise<void>;
}

type Extras = Pick<KmsOptions, "credentials" | "adminToken" | "fetch" | "log">;

export async function openKms(
  data: DataFolder,
  environment: NodeJS.ProcessEnv,
  extras: Extras = {},
): Promise<OpenedKms> {
  const { config, files } = data;
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
  };
  try {
    const url = config.database?.url;
    const db = await openDatabase(url === undefined ? { folder: files.database } : { url });
    closers.push(() => db.close());
    const envelope = await withStoreKey({ file: files.storeKey, environment }, (key) =>
      Envelope.open(db, key),
    );
    closers.push(() => envelope.destroy());
    const pool = config.workers > 0 ? await createKmsPool({ workers: config.workers }) : undefined;
    const core = pool?.core ?? (await load());
    closers.push(() => (pool === undefined ? core.destroy() : pool.destroy()));
    const kms = await createKms({
      config,
      store: KmsStore.open(db, envelope),
      core,
      envelope,
      random: systemRandom,
      now: Date.now,
      ...(pool && { pool }),
      ...(config.tokens === undefined && { developmentIssuer: await developmentIssuerOf(data) }),
      ...extras,
    });
    closers.push(() => kms.close());
    return { kms, close };
  } catch (error) {
    await close();
    throw error;
  }
}
