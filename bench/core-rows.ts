/** Rows that the package's interface does not separate: they call the core as the bindings do. */
import type { Build, Core } from "../bindings/core/core.ts";
import { KmsDomain, load, systemRandom } from "../bindings/index.ts";
import { KmsMaster } from "../bindings/kms.ts";
import { generatorTables } from "../bindings/sakke/tables.ts";
import { BATCH, type Row } from "../cli/bench/row.ts";
import type { World } from "../cli/bench/world.ts";

const [SCALAR, POINT] = [128, 256];

/** RSKs alone; the public way issues SSK and PVT with them. */
export function issueRow(world: World): Row {
  const { core } = world;
  const { points } = generatorTables(core);
  // Any value below q does for the time.
  const z = world.freshUids(4);
  z[0]![0] = 1;
  let uids: Uint8Array[] = [];
  return {
    name: "sakke.issue.batch",
    operations: BATCH,
    prepare: () => {
      uids = world.freshUids(BATCH);
    },
    run: () => {
      const scratch = core.wasm.sakkeIssueScratch(points, BATCH);
      const sizes = [BATCH * SCALAR, SCALAR, BATCH * POINT, BATCH, scratch];
      return core.borrow(sizes, (input, master, output, status, work) => {
        uids.forEach((uid, i) => {
          core.write(input + (i + 1) * SCALAR - uid.length, uid);
        });
        z.forEach((part, i) => {
          core.write(master + i * part.length, part);
        });
        core.wasm.sakkeIssue(points, BATCH, input, master, output, status, work);
        return core.read(output, BATCH * POINT);
      });
    },
  };
}

export interface Start {
  /** Ms to compile and start the core, tables not counted. */
  readonly loadMs: number;
  /** Ms for the tables of P, g and G and of one KMS. */
  readonly tablesMs: number;
  /** Ms for one more KMS on the same core. */
  readonly nextKmsMs: number;
  /** Octets of linear memory in use after the first KMS. */
  readonly bytes: number;
  /** Octets of each further KMS. */
  readonly kmsBytes: number;
}

/** Measures what a start costs: a new core, the domain of `world`'s KMS on it, and that of another. */
export async function measureStart(world: World, build: Build): Promise<Start> {
  const { certificate } = world.domain;
  const { zt, kpak } = KmsMaster.generate(world.core, systemRandom);
  const other = { ...certificate, kmsUri: "kms.example.net", pubEncKey: zt, pubAuthKey: kpak };
  const timed = <T>(work: () => T): [T, number] => {
    const started = performance.now();
    return [work(), performance.now() - started];
  };
  const started = performance.now();
  const core: Core = await load({ build });
  const loadMs = performance.now() - started;
  const [first, tablesMs] = timed(() => KmsDomain.load(core, certificate));
  const bytes = core.usedBytes;
  const [second, nextKmsMs] = timed(() => KmsDomain.load(core, other));
  const kmsBytes = core.usedBytes - bytes;
  first.destroy();
  second.destroy();
  core.destroy();
  return { loadMs, tablesMs, nextKmsMs, bytes, kmsBytes };
}
