import { expect, it } from "vitest";
import { ALICE, World } from "./running-kms.ts";

it("a request with characters that no database takes is recorded in the audit log", async () => {
  const tokens = {
    verify: async () => ({ identities: [ALICE], scopes: [], ofUser: true, clientId: "a\0b\ud83d" }),
  };
  const world = await World.create();
  const odd = await world.beside({}, { tokens });
  expect((await odd.ask("init")).status).toBe(200);
  expect((await world.auditLog()).at(-1)!.detail).toMatchObject({ clientId: "a\ufffdb\ufffd" });
  const entry = { at: 1, action: "x", outcome: "refused" as const, requestId: "r\0" };
  await world.store.audit({ ...entry, actor: "\0\udc00", userUri: "\0", detail: { reason: "\0\ud800" } });
  expect((await world.auditLog()).at(-1)).toMatchObject({
    actor: "\ufffd\ufffd",
    userUri: "\ufffd",
    requestId: "r\ufffd",
    detail: { reason: "\ufffd\ufffd" },
  });
  await odd.close();
  await world.close();
});
