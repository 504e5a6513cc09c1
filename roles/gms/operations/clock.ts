import type { ClockReset } from "../../../store/gms/clock.ts";
import type { Caller } from "../common/caller.ts";
import { type OperationDeps, requireOperator } from "./deps.ts";

/**
 * Only where the host's clock and the database's agree: else it may be the database's that is wrong now, and T right.
 *
 * @throws MikeySakkeError transport `CLOCK_OFF`; usage `FORBIDDEN`
 */
export async function resetClock(
  { store, keys, clock, now }: Pick<OperationDeps, "store" | "keys" | "clock" | "now">,
  caller: Caller,
): Promise<ClockReset> {
  requireOperator(caller);
  clock.requireRight();
  const reset = await store.resetClock(keys.current().initiator.uri);
  const detail = { ahead: reset.ahead, groups: reset.groups.slice(0, 100) };
  await store.audit([{ at: now(), actor: caller.actor, action: "clock-reset", outcome: "ok", detail }]);
  return reset;
}
