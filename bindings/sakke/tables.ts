/** Tables of the generator P and of g = <P, P>, which all keys on a core share, and of a KMS's Z_T. */
import { toHex } from "../../base/bytes.ts";
import type { Core } from "../core/core.ts";
import { XY } from "./encoding.ts";

/** Window width of the tables of P, g and Z_T, from measurements: docs/performance.md. */
const SENDER_WINDOW = 7;

/** Names of the generator's tables in a core. */
export const SAKKE_GENERATOR_TABLES = ["SAKKE P", "SAKKE g"] as const;

export interface GeneratorTables {
  readonly points: number;
  readonly powers: number;
}

/** Builds the tables of the generator at the first call. For the bindings only. */
export function generatorTables(core: Core): GeneratorTables {
  return core.once("sakke-generator", () => {
    const { wasm, tables } = core;
    const [points, powers] = SAKKE_GENERATOR_TABLES;
    return {
      points: tables.acquire(points, wasm.sakkeTableBytes(SENDER_WINDOW), (at) => fill(core, at, 0))!,
      powers: tables.acquire(powers, wasm.sakkePowersBytes(SENDER_WINDOW), (at) =>
        core.borrow([wasm.sakkePowersScratch(SENDER_WINDOW)], (scratch) => {
          wasm.sakkePowers(at, SENDER_WINDOW, scratch);
          return true;
        }),
      )!,
    };
  });
}

/** Name of the table of a point x || y in a core. */
export function pointTableName(xy: Uint8Array): string {
  return `SAKKE ${toHex(xy)}`;
}

/** Address of the table of x || y, for one more user; undefined unless it is a point of order q. */
export function pointTable(core: Core, xy: Uint8Array): number | undefined {
  const { wasm } = core;
  return core.tables.acquire(pointTableName(xy), wasm.sakkeTableBytes(SENDER_WINDOW), (at) =>
    core.borrow([XY], (point) => {
      core.write(point, xy);
      return hasOrderQ(core, point) && fill(core, at, point);
    }),
  );
}

function hasOrderQ(core: Core, point: number): boolean {
  return core.borrow([2 * XY], (scratch) => core.wasm.sakkeOrder(point, scratch) === 0);
}

/** Name of the stored lines of the generator in a core. */
const GENERATOR_LINES = "SAKKE lines of P";

/** Stored Miller-loop lines of P and of a KMS's Z_T, with which receiver keys are checked. */
export interface CheckLines {
  readonly generator: number;
  readonly kms: number;
}

/** Name of the stored lines of a point x || y in a core. */
function linesName(xy: Uint8Array): string {
  return `SAKKE lines of ${toHex(xy)}`;
}

/** The lines for checks under the KMS with the public point x || y of order q, for one more user. */
export function acquireCheckLines(core: Core, xy: Uint8Array): CheckLines {
  const { wasm, tables } = core;
  const lines = (name: string, fill: (at: number, scratch: number) => boolean): number =>
    tables.acquire(name, wasm.sakkeLinesBytes(), (at) =>
      core.borrow([wasm.sakkeLinesScratch()], (scratch) => fill(at, scratch)),
    )!;
  return {
    generator: lines(GENERATOR_LINES, (at, scratch) => {
      wasm.sakkeGeneratorLines(at, scratch);
      return true;
    }),
    kms: lines(linesName(xy), (at, scratch) =>
      core.borrow([XY], (point) => {
        core.write(point, xy);
        return wasm.sakkeLines(at, point, scratch) === 0;
      }),
    ),
  };
}

/** Gives back what acquireCheckLines took. */
export function releaseCheckLines(core: Core, xy: Uint8Array): void {
  core.tables.release(GENERATOR_LINES);
  core.tables.release(linesName(xy));
}

/** Fills the table of the point of 256 octets at `point`, 0 for the generator. */
function fill(core: Core, at: number, point: number): boolean {
  const { wasm } = core;
  const sizes = [wasm.sakkeTableScratch(SENDER_WINDOW)];
  return core.borrow(sizes, (scratch) => wasm.sakkeTable(at, SENDER_WINDOW, point, scratch) === 0);
}
