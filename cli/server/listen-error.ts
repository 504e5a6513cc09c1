/** Reports what keeps a listener from opening, as a fault of the call. */
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";
import { usageError } from "../terminal/usage.ts";

const LISTEN_ERRORS: Readonly<Record<string, readonly [code: ErrorCode, text: string]>> = {
  EADDRINUSE: ["ADDRESS_IN_USE", "is in use"],
  EADDRNOTAVAIL: ["ADDRESS_NOT_HERE", "is not an address of this machine"],
  EACCES: ["ADDRESS_DENIED", "may not be used by this user"],
};

export function listenError(error: unknown): unknown {
  if (error instanceof MikeySakkeError) return error;
  const { code = "", address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const known = LISTEN_ERRORS[code];
  return known === undefined ? error : usageError(known[0], `${address}:${port} ${known[1]}`, error);
}
