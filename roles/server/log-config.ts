/** The configuration of the log that all servers of a process share. */
import { z } from "zod";
import { MikeySakkeError } from "../../base/errors.ts";
import { LOG_LEVELS } from "../../base/log-levels.ts";
import { faultsOf } from "./faults.ts";

export const logConfigSchema = z.strictObject({ level: z.enum(LOG_LEVELS).default("info") });

export type LogConfig = z.output<typeof logConfigSchema>;

/** Keys that may change while servers run. */
export const LOG_RELOADABLE = ["level"] as const;

/** @throws {MikeySakkeError} usage `BAD_CONFIG` that names the wrong keys */
export function parseLogConfig(value: unknown): LogConfig {
  const parsed = logConfigSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new MikeySakkeError("usage", "BAD_CONFIG", faultsOf(parsed.error, "log"));
}
