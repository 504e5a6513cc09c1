/** Waiting for what others do, and asking them again, as long as the step goes on. */
import { pause } from "../../base/deadline.ts";
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { McxRefusedError } from "../../roles/client/mcx/index.ts";
import type { Work } from "./clock.ts";

const LOOK_MS = 50;
/** The codes of clients when there was no answer in their time, which is that of machines that are not overloaded. */
const TIMEOUTS: ReadonlySet<ErrorCode> = new Set([
  "KMS_TIMEOUT",
  "XCAP_TIMEOUT",
  "SIP_TIMEOUT",
  "MCX_SILENT",
]);
const REQUEST_TIMEOUT = 408;
const SERVER_FAILURES = 500;

/** Until `isDone`; how long that may take, the step knows. */
export async function until(
  isDone: () => boolean | Promise<boolean>,
  { signal }: Pick<Work, "signal">,
  wait: () => Promise<void> = () => pause(LOOK_MS),
): Promise<void> {
  while (!(await isDone())) {
    signal.throwIfAborted();
    await wait();
  }
}

/** Does it again when there was no answer in time; any other error is one. */
export async function answered<T>(
  work: () => Promise<T>,
  { signal, lacks }: Pick<Work, "signal" | "lacks">,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isTimeout(error)) throw error;
      lacks(() => error.message);
      signal.throwIfAborted();
      await pause(LOOK_MS);
    }
  }
}

function isTimeout(error: unknown): error is MikeySakkeError {
  if (error instanceof McxRefusedError) {
    return error.status === REQUEST_TIMEOUT || error.status >= SERVER_FAILURES;
  }
  return error instanceof MikeySakkeError && TIMEOUTS.has(error.code);
}
