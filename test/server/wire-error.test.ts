/** Tests how the clients of the admin APIs take an answer that is not an error of ours. */
import { describe, expect, it } from "vitest";
import { gmsAdminClient } from "../../roles/gms/admin/client.ts";
import { adminClient } from "../../roles/kms/admin/client.ts";

const URL = "http://127.0.0.1:9";

const answering = (status: number, body: string): typeof fetch =>
  (async () => new Response(body, { status })) as typeof fetch;

const clients = {
  KMS: (send: typeof fetch) => adminClient({ url: URL, token: "t", fetch: send }).masters(),
  GMS: (send: typeof fetch) => gmsAdminClient({ url: URL, token: "t", fetch: send }).gmks("sip:a@b"),
};

describe.each(Object.entries(clients))("a client of the %s", (_, ask) => {
  it.each([
    ["no JSON", "<html>"],
    ["null", "null"],
    ["a text", '{"error":"nobody is here"}'],
    ["a list", '{"error":[]}'],
    ["another kind", '{"error":{"kind":"fun","code":"GROUP_UNKNOWN","message":"x"}}'],
    ["a number as code", '{"error":{"kind":"usage","code":7,"message":"x"}}'],
    ["no message", '{"error":{"kind":"usage","code":"GROUP_UNKNOWN"}}'],
  ])("reports the status of an error with %s", async (_what, body) => {
    await expect(ask(answering(502, body))).rejects.toMatchObject({
      code: "ADMIN_FAILED",
      message: `${URL}: HTTP status 502`,
    });
  });

  it("throws the error of an answer in our form", async () => {
    const body = JSON.stringify({
      error: { kind: "usage", code: "GROUP_UNKNOWN", message: "sip:a@b: no such group" },
    });
    await expect(ask(answering(404, body))).rejects.toMatchObject({ kind: "usage", code: "GROUP_UNKNOWN" });
  });
});
