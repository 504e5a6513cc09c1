import type { RandomSource } from "../../../bindings/random.ts";
import type { GmsConfig } from "../config.ts";
import type { GmsKeys } from "../ports.ts";

/** What planning needs besides the transaction. */
export interface PlanDeps {
  readonly config: GmsConfig;
  readonly keys: GmsKeys;
  readonly random: RandomSource;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** What a rekey is written down with. */
export interface Why {
  readonly cause: string;
  readonly actor: string;
}
