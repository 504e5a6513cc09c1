/** Tables of the generator P and of g = <P, P>. They belong to a core and are shared by all keys on it. */
import type { Core } from "../core.ts";

/** Window width of the tables of P, g and Z_T, from measurements: docs/performance.md. */
export const SENDER_WINDOW = 7;

export interface GeneratorTables {
  readonly points: number;
  readonly powers: number;
}

/** Builds the tables of the generator at the first call. For the bindings only. */
export function generatorTables(core: Core): GeneratorTables {
  return core.once("sakke-generator", () => {
    const { wasm, arena } = core;
    const points = arena.alloc(wasm.sakkeTableBytes(SENDER_WINDOW));
    const powers = arena.alloc(wasm.sakkePowersBytes(SENDER_WINDOW));
    core.borrow([wasm.sakkeTableScratch(SENDER_WINDOW)], (scratch) =>
      wasm.sakkeTable(points, SENDER_WINDOW, 0, scratch),
    );
    core.borrow([wasm.sakkePowersScratch(SENDER_WINDOW)], (scratch) =>
      wasm.sakkePowers(powers, SENDER_WINDOW, scratch),
    );
    return { points, powers };
  });
}
