/** The configuration of the log that all servers of a process share. */
import { z } from "zod";
import { MikeySakkeError } from "../../base/errors.ts";
import { LOG_LEVELS } from "../../base/log-levels.ts";

export const logConfigSchema = z.strictObject({ level: z.enum(LOG_LEVELS).default("info") });

export type LogConfig = z.output<typeof logConfigSchema>;

/** Keys that may change while servers run. */
export const LOG_RELOADABLE = ["level"] as const;

/** @throws {MikeySakkeError} usage `BAD_CONFIG` that names every wrong key */
export function parseLogConfig(value: unknown): LogConfig {
  const parsed = logConfigSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${["log", ...path].join(".")}: ${message}`);
  throw new MikeySakkeError("usage", "BAD_CONFIG", faults.join("; "));
}
