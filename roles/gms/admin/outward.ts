/** Errors as the admin API tells them. What a database says of its own is for the log alone: it may quote anything. */
import { MikeySakkeError } from "../../../base/errors.ts";
import { toWireError, type WireError } from "../../server/wire-error.ts";

/** Codes of store/database/failures.ts, whose texts end with the driver's in parentheses. */
const OF_STORE = /^STORE_/;
const DRIVERS_TEXT = / \(.*$/s;

function isOfStore(error: unknown): error is MikeySakkeError {
  return error instanceof MikeySakkeError && OF_STORE.test(error.code);
}

export function outward(error: unknown): WireError {
  const wire = toWireError(error);
  return isOfStore(error) ? { ...wire, message: wire.message.replace(DRIVERS_TEXT, "") } : wire;
}
