/** Audit entries have a size and an age. */
import { expect, it } from "vitest";
import { purgeAudit } from "../../roles/server/audit-retention.ts";
import { RefusalBudget } from "../../roles/server/refusal-budget.ts";
import { Envelope } from "../../store/database/envelope.ts";
import { GmsStore } from "../../store/gms/gms-store.ts";
import { KmsStore } from "../../store/index.ts";
import { onEachDatabase } from "../support/databases.ts";
import { NOW } from "../support/names.ts";
import { KEK } from "./records.ts";

const LONG = `sip:${"x".repeat(28_000)}@example.org`;
const DAY_MS = 86_400_000;

onEachDatabase("audit logs", ({ fresh }) => {
  it("audit entries hold little of an unknown sender's input, however long it is", async () => {
    const db = await fresh();
    const envelope = await Envelope.open(db, KEK);
    const [gms, kms] = [GmsStore.open(db, envelope), KmsStore.open(db, envelope)];
    const detail = {
      reason: LONG,
      uris: Array.from({ length: 1000 }, () => LONG),
      deep: { a: { b: { c: { d: 1 } } } },
    };
    const common = {
      at: NOW,
      actor: LONG,
      action: "subscribe",
      outcome: "refused" as const,
      code: "X",
      detail,
    };
    await gms.audit([{ ...common, groupUri: LONG }]);
    await kms.audit({ ...common, userUri: LONG, requestId: LONG });
    for (const [entry] of [await gms.auditLog({ limit: 1 }), await kms.auditLog({ limit: 1 })]) {
      expect(entry!.actor).toBe(LONG.slice(0, 200));
      expect(JSON.stringify(entry).length).toBeLessThan(12_000);
    }
    expect(await kms.auditLog({ limit: 1, userUri: LONG })).toHaveLength(1);
    envelope.destroy();
  });

  it("old audit entries are dropped, and refusals of unknown senders sooner", async () => {
    const db = await fresh();
    const envelope = await Envelope.open(db, KEK);
    const [gms, kms] = [GmsStore.open(db, envelope), KmsStore.open(db, envelope)];
    const entries = [500, 100, 8, 1].flatMap((days) => {
      const at = NOW - days * DAY_MS;
      return [
        { at, actor: "operator", action: `ok ${days}`, outcome: "ok" as const },
        { at, actor: "sip:a@example.org", action: `refused ${days}`, outcome: "refused" as const },
        { at, actor: "anonymous", action: `anonymous ${days}`, outcome: "refused" as const },
        {
          at,
          actor: "sip:b",
          action: `claimed ${days}`,
          outcome: "refused" as const,
          detail: { claimed: true },
        },
      ];
    });
    await gms.audit(entries);
    for (const entry of entries) await kms.audit(entry);
    const retention = { auditDays: 400, anonymousAuditDays: 7 };
    const actions = async (store: GmsStore | KmsStore) =>
      (await store.auditLog({ limit: 100 })).map((e) => e.action);
    expect(await purgeAudit(gms, retention, NOW)).toBe(8);
    const known = ["ok 100", "refused 100", "ok 8", "refused 8", "ok 1", "refused 1"];
    expect((await actions(gms)).sort()).toEqual([...known, "anonymous 1", "claimed 1"].sort());
    await purgeAudit(kms, retention, NOW);
    expect(await actions(kms)).not.toContain("anonymous 8");
    expect(await actions(kms)).toEqual(expect.arrayContaining(known));
    expect(await purgeAudit(gms, { auditDays: 0, anonymousAuditDays: 0 }, NOW + 9999 * DAY_MS)).toBe(0);
    envelope.destroy();
  });
});

it("refusals in the audit log have a budget of octets as well as of entries", () => {
  const budget = new RefusalBudget({ anonymousAuditPerMinute: 600, refusedAuditPerMinute: 600 });
  const entry = { text: "x".repeat(2000) };
  const taken = Array.from({ length: 600 }, () => budget.take(undefined, NOW, entry)).filter(Boolean).length;
  expect(taken).toBeGreaterThan(10);
  expect(taken * 2000).toBeLessThan(140_000);
  expect(budget.take("sip:a@example.org", NOW, entry)).toBe(true);
  expect(budget.take(undefined, NOW + 60_000, entry)).toBe(true);
});
