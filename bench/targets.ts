/** What the rows are measured against: microseconds on a quiet Zen 3 core, and ratios to BigInt in the same run. */
import type { RowName } from "../cli/bench/row.ts";

export interface Target {
  readonly must: number;
  readonly aim: number;
  /** Times as fast as the BigInt baseline of the same run, at least. */
  readonly ratio?: number;
}

export const TARGETS: Partial<Record<RowName, Target>> = {
  "field.multiply": { must: 0.3, aim: 0.23, ratio: 4 },
  "sakke.encapsulate.batch": { must: 780, aim: 550, ratio: 35 },
  "sakke.decapsulate": { must: 8000, aim: 6000 },
  "sakke.decapsulate.prepared": { must: 2300, aim: 1700, ratio: 30 },
  "sakke.issue.batch": { must: 350, aim: 250 },
  "sakke.validate": { must: 6500, aim: 5000 },
  "eccsi.sign.batch": { must: 40, aim: 20 },
  "eccsi.verify": { must: 190, aim: 120 },
  "imessage.seal.batch": { must: 850, aim: 600, ratio: 33 },
  "imessage.open": { must: 2600, aim: 1900 },
};

/** Tables of P, g and one KMS. */
export const START_TARGET = { ms: 400, bytes: 32 << 20 };

/** Two workers against one. */
export const WORKERS_TARGET = 1.85;
