/** Tables of the generator G, which all keys on a core share, of KPAKs and of single signers. */
import { toHex } from "../../base/bytes.ts";
import type { Core } from "../core/core.ts";
import { XY } from "./encoding.ts";

/** Window width of all P-256 tables, from measurements: docs/performance.md. */
const WINDOW = 6;

/** Name of the generator's table in a core. */
export const P256_GENERATOR_TABLE = "P-256 G";

/** Address of the table of G, built at the first call. For the bindings only. */
export function generatorTable(core: Core): number {
  return core.once("p256-generator", () => {
    const bytes = core.wasm.eccsiTableBytes(WINDOW);
    return core.tables.acquire(P256_GENERATOR_TABLE, bytes, (at) => fill(core, at))!;
  });
}

/** Name of the table of a KPAK x || y in a core. */
export function kpakTableName(xy: Uint8Array): string {
  return `P-256 ${toHex(xy)}`;
}

/** Address of the table of a KPAK x || y, for one more user; undefined for a point off the curve. */
export function kpakTable(core: Core, xy: Uint8Array): number | undefined {
  const bytes = core.wasm.eccsiTableBytes(WINDOW);
  return core.tables.acquire(kpakTableName(xy), bytes, (at) => fill(core, at, xy));
}

/** Address of a new table of the point x || y; undefined for a point off the curve. */
export function pointTable(core: Core, xy: Uint8Array): number | undefined {
  const table = core.arena.alloc(core.wasm.eccsiTableBytes(WINDOW));
  if (fill(core, table, xy)) return table;
  core.arena.release(table);
  return undefined;
}

/** Fills the table of x || y, of the generator without it. */
function fill(core: Core, at: number, xy?: Uint8Array): boolean {
  const { wasm } = core;
  return core.borrow([XY, wasm.eccsiTableScratch(WINDOW)], (point, scratch) => {
    if (xy !== undefined) core.write(point, xy);
    return wasm.eccsiTable(at, WINDOW, xy === undefined ? 0 : point, scratch) === 0;
  });
}

/** [k]G for scalars of 32 octets each in one array; 64 octets a result. Undefined if one is 0 mod the order. */
export function multiplyBase(core: Core, scalars: Uint8Array): Uint8Array | undefined {
  const n = scalars.length / 32;
  const table = generatorTable(core);
  const sizes = [scalars.length, n * XY, n, core.wasm.eccsiMultiplyBaseScratch(table, n)];
  return core.borrow(sizes, (input, out, status, scratch) => {
    core.write(input, scalars);
    core.wasm.eccsiMultiplyBase(table, n, input, out, status, scratch);
    return core.read(status, n).every((s) => s === 0) ? core.read(out, n * XY) : undefined;
  });
}
