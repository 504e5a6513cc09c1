/** The levels of a log, from the one that says most. Apart from the rest, for what only names them. */
export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
