/**
 * The targets that the rows are measured against: microseconds on a quiet Zen 3 core, and ratios to BigInt in the same
 * run.
 */
import type { RowName } from "../cli/bench/row.ts";

export interface Target {
  readonly must: number;
  readonly aim: number;
  /** Times as fast as the BigInt baseline of the same run, at least. */
  readonly ratio?: number;
}

export const TARGETS: Partial<Record<RowName, Target>> = {
  "field.multiply": { must: 0.3, aim: 0.23, ratio: 4 },
  "sakke.encapsulate.batch": { must: 570, aim: 530, ratio: 35 },
  "sakke.encapsulate.single": { must: 1130, aim: 950 },
  "sakke.decapsulate": { must: 5300, aim: 4800 },
  "sakke.decapsulate.prepared": { must: 1680, aim: 1550, ratio: 30 },
  "sakke.issue.batch": { must: 350, aim: 250 },
  "sakke.validate": { must: 3400, aim: 3000 },
  "eccsi.sign.batch": { must: 40, aim: 20 },
  "eccsi.verify": { must: 112, aim: 88 },
  "eccsi.verify.batch": { must: 80, aim: 60 },
  "eccsi.verify.known": { must: 27, aim: 24 },
  "kms.issue.batch": { must: 280, aim: 260 },
  "imessage.seal.batch": { must: 635, aim: 590, ratio: 33 },
  "imessage.open": { must: 1890, aim: 1750 },
  "imessage.first": { must: 8000, aim: 6000 },
  "start.receiver": { must: 18_000, aim: 12_500 },
};

/** Two workers against one. */
export const WORKERS_TARGET: Target = { must: 1.88, aim: 1.93 };

/**
 * Targets of the measurements around the arithmetic, which table.ts makes. The first three are ratios to what others, or
 * sealing alone, do.
 */
export const AROUND_TARGETS = {
  protect: { must: 0.8, aim: 0.9 },
  open: { must: 0.65, aim: 0.8 },
  rekey: { must: 0.88, aim: 0.93 },
  notifiesPerSecond: { must: 1200, aim: 2000 },
  /** Seconds. */
  firstStart: { must: 4, aim: 2 },
  laterStart: { must: 2, aim: 1 },
  idleMegabytes: { must: 300, aim: 200 },
} satisfies Record<string, Target>;
