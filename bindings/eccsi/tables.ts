/** The table of the generator G. It belongs to a core and is shared by all keys on it. */
import type { Core } from "../core.ts";
import { XY } from "./encoding.ts";

/** Window width of all P-256 tables, from measurements: docs/performance.md. */
const WINDOW = 6;

/** Address of the table of G, built at the first call. For the bindings only. */
export function generatorTable(core: Core): number {
  return core.once("p256-generator", () => {
    const table = core.arena.alloc(core.wasm.eccsiTableBytes(WINDOW));
    core.borrow([core.wasm.eccsiTableScratch(WINDOW)], (scratch) =>
      core.wasm.eccsiTable(table, WINDOW, 0, scratch),
    );
    return table;
  });
}

/** Address of a new table of the point x || y; undefined for a point off the curve. */
export function pointTable(core: Core, xy: Uint8Array): number | undefined {
  const table = core.arena.alloc(core.wasm.eccsiTableBytes(WINDOW));
  const status = core.borrow([XY, core.wasm.eccsiTableScratch(WINDOW)], (point, scratch) => {
    core.write(point, xy);
    return core.wasm.eccsiTable(table, WINDOW, point, scratch);
  });
  if (status === 0) return table;
  core.arena.release(table);
  return undefined;
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
