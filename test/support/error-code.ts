import { MikeySakkeError } from "../../base/errors.ts";

export { flip } from "../../cli/check/forge.ts";

/** `kind/code` of the error a call throws, "none" if it returns. Any other error passes through. */
export function errorCode(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof MikeySakkeError) return `${error.kind}/${error.code}`;
    throw error;
  }
  return "none";
}
