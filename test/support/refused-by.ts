import { expect } from "vitest";
import { CHECKS, type CheckCode } from "../../base/checks.ts";
import { MikeySakkeError } from "../../base/errors.ts";

/** Runs something that must be refused by one numbered check, and returns the error. */
export async function refusedBy(check: CheckCode, attempt: () => unknown): Promise<MikeySakkeError> {
  let error: unknown;
  try {
    await attempt();
  } catch (caught) {
    error = caught;
  }
  expect(error, `${check} did not refuse`).toBeInstanceOf(MikeySakkeError);
  const refusal = error as MikeySakkeError;
  expect({ code: refusal.code, check: refusal.check, kind: refusal.kind }, refusal.message).toEqual({
    code: check,
    check: CHECKS[check][0],
    kind: CHECKS[check][1],
  });
  return refusal;
}
