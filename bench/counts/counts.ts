/** Counts the work of the shipped code, in numbers that are the same on every machine: docs/results/counts.json. */
import type { RowName } from "../../cli/bench/row.ts";
import { TALLIES, type Tallies } from "../tallies.ts";
import { countRows } from "./arithmetic.ts";
import { countNotifyOctets } from "./notify.ts";
import { countStatements, type Statements } from "./statements.ts";

/** Only what is not zero. */
type Tallied = Readonly<Record<string, number>>;

export interface Counts {
  readonly schema: 1;
  /** Counts of one call, in the build for hosts with fused multiply-add: vectors of two, single inversions and scalars. */
  readonly arithmetic: Readonly<
    Partial<Record<RowName, { readonly sakke: Tallied; readonly p256: Tallied }>>
  >;
  readonly statements: Statements;
  readonly octets: { readonly "NOTIFY with one key": number };
}

/** A number that is not what it was; what was not counted or is not any more is 0. */
export interface Change {
  readonly name: string;
  readonly recorded: number;
  readonly counted: number;
}

export async function measureCounts(): Promise<Counts> {
  const rows = await countRows("fma");
  return {
    schema: 1,
    arithmetic: Object.fromEntries(
      Array.from(rows, ([name, { sakke, p256 }]) => [name, { sakke: nonZero(sakke), p256: nonZero(p256) }]),
    ),
    statements: await countStatements(),
    octets: { "NOTIFY with one key": await countNotifyOctets() },
  };
}

function nonZero(tallies: Tallies["sakke"]): Tallied {
  return Object.fromEntries(
    TALLIES.filter((tally) => tallies[tally] > 0).map((tally) => [tally, tallies[tally]]),
  );
}

/** All that differs from the record, which is undefined where there is none. */
export function changes(recorded: Counts | undefined, counted: Counts): Change[] {
  const before = flat(recorded);
  const now = flat(counted);
  return [...new Set([...before.keys(), ...now.keys()])]
    .map((name) => ({ name, recorded: before.get(name) ?? 0, counted: now.get(name) ?? 0 }))
    .filter((change) => change.counted !== change.recorded);
}

/** The changes that are losses. */
export function grown(changed: readonly Change[]): Change[] {
  return changed.filter(({ recorded, counted }) => counted > recorded);
}

/** Every count by its path. */
function flat(counts: Counts | undefined): Map<string, number> {
  if (counts === undefined) return new Map();
  const { arithmetic, statements, octets } = counts;
  return new Map(leaves({ arithmetic, statements, octets }, ""));
}

function leaves(counts: object, path: string): [string, number][] {
  return Object.entries(counts).flatMap(([name, value]): [string, number][] =>
    typeof value === "number" ? [[path + name, value]] : leaves(value as object, `${path}${name}, `),
  );
}
