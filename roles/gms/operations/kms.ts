import type { Caller } from "../common/caller.ts";
import type { KmsRefresh } from "../common/ports.ts";
import { type OperationDeps, requireOperator } from "./deps.ts";

/** Asks the KMS at once, so that a change of the permitted partner KMSs takes effect (TS 33.180 5.3.1). */
export async function refreshKms(
  { store, keys, now }: Pick<OperationDeps, "store" | "keys" | "now">,
  caller: Caller,
): Promise<KmsRefresh> {
  requireOperator(caller);
  await keys.refresh();
  const kmsUris = [...new Set(keys.current().domains.map(({ kmsUri }) => kmsUri))].sort();
  await store.audit([
    { at: now(), actor: caller.actor, action: "kms-refresh", outcome: "ok", detail: { kmsUris } },
  ]);
  return { kmsUris };
}
