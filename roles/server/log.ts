/** The log of a server: pino's shape, so that a pino logger is one. No body, token or key is ever handed to it. */
import { type DestinationStream, pino } from "pino";

export interface ServerLog {
  debug(facts: object, text: string): void;
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
  error(facts: object, text: string): void;
}

/** A log whose level may change while servers write to it. */
export interface LeveledLog extends ServerLog {
  level: string;
}

export const noLog: ServerLog = { debug() {}, info() {}, warn() {}, error() {} };

/** Should anybody hand a request or an error with secrets over all the same. */
const REDACTED = [
  "authorization",
  "*.authorization",
  "*.*.authorization",
  "body",
  "*.body",
  "rawBody",
  "*.rawBody",
  "key",
  "*.key",
  "token",
  "*.token",
];

/** JSON lines on standard error, or wherever `destination` leads. */
export function createLog(level = "info", destination?: DestinationStream): LeveledLog {
  const options = { level, base: null, redact: { paths: REDACTED, censor: "[redacted]" } };
  return pino(options, destination ?? pino.destination({ dest: 2, sync: true }));
}
