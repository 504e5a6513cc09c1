import type { RandomSource } from "../../../base/random.ts";
import type { DatabaseClock } from "../../server/database-clock.ts";
import type { Tracing } from "../../server/tracing.ts";
import type { GmsConfig } from "../common/config.ts";
import type { GmsKeys } from "../common/ports.ts";

/** The parts that planning needs besides the transaction. */
export interface PlanDeps {
  readonly config: GmsConfig;
  readonly keys: GmsKeys;
  readonly random: RandomSource;
  /** Milliseconds since the Unix epoch, by the clock of the database. */
  readonly now: () => number;
  readonly clock: Pick<DatabaseClock, "requireRight">;
  readonly tracing: Tracing;
  /** The operation that what is planned belongs to (W3C Trace Context); one of its own without it. */
  readonly traceparent?: string | undefined;
}

/** The reason that is recorded with a rekey. */
export interface Why {
  readonly cause: string;
  readonly actor: string;
}
