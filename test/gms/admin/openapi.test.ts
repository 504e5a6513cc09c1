/** The OpenAPI document says what the server does. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { OPERATIONS } from "../../../roles/gms/admin/operations.ts";
import { SCHEMAS } from "../../../roles/gms/admin/schemas.ts";
import { createGmsAdminServer } from "../../../roles/gms/admin/server.ts";
import { expectWhole, type OpenApi, operationsOf } from "../../support/openapi.ts";
import { acknowledge, sealAll } from "../memory-gms.ts";
import { OPERATOR_TOKEN, sharedAdminWorld } from "./admin-api.ts";

const world = sharedAdminWorld();
const GROUP = "sip:fire@home.example";

async function theDocument(): Promise<OpenApi> {
  const response = await fetch(`${world.it.url}/gms/v1/openapi.json`);
  expect(response.headers.get("content-type")).toContain("application/json");
  return (await response.json()) as OpenApi;
}

describe("the OpenAPI document", () => {
  it("has every route of the server, and no other", async () => {
    const routes: string[] = [];
    const app = createGmsAdminServer({ context: world.it.core.context, ready: async () => {} });
    for (const { method, path } of operationsOf(await theDocument())) {
      const url = path.replace(/\{(\w+)\}/g, ":$1");
      expect(app.hasRoute({ method: method.toUpperCase() as "GET", url }), `${method} ${path}`).toBe(true);
      routes.push(`${method} ${path}`);
    }
    expect(routes.sort()).toEqual(
      OPERATIONS.map(({ method, path }) => `${method.toLowerCase()} /gms/v1${path}`).sort(),
    );
    await app.close();
  });

  it("is whole", async () => expectWhole(await theDocument()));

  it("declares every parameter of a path", async () => {
    for (const { path, operation } of operationsOf(await theDocument())) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = operation.parameters.filter((p) => p.in === "path");
      expect(declared.map(({ name }) => name)).toEqual(named);
      expect(declared.every(({ required }) => required)).toBe(true);
    }
  });

  it("has the shapes by which requests are checked", async () => {
    const { schemas } = (await theDocument()).components;
    expect(Object.keys(schemas).sort()).toEqual(Object.keys(SCHEMAS).sort());
    // Out of the document itself, so that it stands for what it says.
    const settings = z.fromJSONSchema(schemas.SettingsChange as never);
    for (const value of [
      {},
      { displayName: "x" },
      { services: ["mcptt"] },
      { services: ["x"] },
      { more: 1 },
    ]) {
      expect(settings.safeParse(value).success).toBe(SCHEMAS.SettingsChange.safeParse(value).success);
    }
  });

  it("has the shapes of the answers", async () => {
    const document = await theDocument();
    const members = [{ uri: "sip:a@home.example" }, { uri: "sip:b@home.example" }];
    const settings = { managers: ["sip:m@home.example"], rekeyEveryMs: 86_400_000 };
    const group = `/groups/${encodeURIComponent(GROUP)}`;
    const covered = new Set<string>();

    async function check(method: string, path: string, as: string, body?: unknown) {
      const got = await world.it.ask(method, path, { body });
      const operation = document.paths[`/gms/v1${as}`]![method.toLowerCase()]!;
      const answer = operation.responses[got.status];
      expect(answer, `${method} ${path} answers ${got.status}: ${JSON.stringify(got.json)}`).toBeDefined();
      covered.add(operation.operationId);
      const content = answer!.content?.["application/json"] ?? answer!.content?.["application/x-ndjson"];
      if (content === undefined) return expect(got.json).toBeUndefined();
      const name = content.schema.$ref.split("/").at(-1)! as keyof typeof SCHEMAS;
      const parsed = SCHEMAS[name].safeParse(got.json);
      expect(parsed.error, `${method} ${path}`).toBeUndefined();
    }

    await check("POST", "/groups", "/groups", { uri: GROUP, members, settings });
    await check("POST", "/groups", "/groups", { uri: GROUP, members });
    await sealAll(world.it.core);
    const { operator } = world.it;
    const [first] = await operator.rekeys({ groupUri: GROUP, limit: 1 });
    await acknowledge(world.it.world, first!.id, [members[0]!.uri]);
    await world.it.world.store.record([
      { rekey: first!.id, memberUri: members[1]!.uri, state: "refused", status: 488, reason: "136 x" },
    ]);
    await check("GET", "/groups", "/groups");
    await check("GET", group, "/groups/{group}");
    await check("PATCH", group, "/groups/{group}", { displayName: "Fire", hangTimer: 30 });
    await check("PUT", group, "/groups/{group}", { members });
    await check("GET", `${group}/members`, "/groups/{group}/members");
    await check("POST", `${group}/members`, "/groups/{group}/members", {
      members: [{ uri: "sip:c@home.example", priority: 7 }],
    });
    await check("GET", `${group}/members`, "/groups/{group}/members");
    const member = `${group}/members/${encodeURIComponent("sip:c@home.example")}`;
    await check("PATCH", member, "/groups/{group}/members/{member}", { priority: 9 });
    await check("POST", `${group}/members/remove`, "/groups/{group}/members/remove", {
      uris: ["sip:c@home.example"],
    });
    await check("GET", `${group}/gmks`, "/groups/{group}/gmks");
    const lost = `/users/${encodeURIComponent("sip:c@home.example")}/lost`;
    await check("POST", lost, "/users/{user}/lost");
    await check("GET", lost, "/users/{user}/lost");
    await check("POST", `${group}/rekeys`, "/groups/{group}/rekeys", { text: "x" });
    await check("GET", `/rekeys?group=${encodeURIComponent(GROUP)}`, "/rekeys");
    await check("GET", `/rekeys/${first!.id}`, "/rekeys/{rekey}");
    await check("GET", `/rekeys/${first!.id}/deliveries`, "/rekeys/{rekey}/deliveries");
    await check("GET", `/rekeys/${first!.id}/progress`, "/rekeys/{rekey}/progress");
    const gmkId = (await operator.gmks(GROUP)).at(-1)!.gmkId.toString(16).padStart(8, "0");
    await check("POST", `/gmks/${gmkId}/revoke`, "/gmks/{gmkId}/revoke");
    await check("GET", "/audit", "/audit");
    await check("POST", "/clock/reset", "/clock/reset");
    await check("POST", "/kms/refresh", "/kms/refresh");
    await check("DELETE", group, "/groups/{group}");
    await check("GET", group, "/groups/{group}");
    expect([...covered].sort()).toEqual(OPERATIONS.map(({ id }) => id).sort());
  });

  it("says which operations are the operator's alone, as the server does", async () => {
    const token = await world.it.token("sip:m@home.example");
    const headers = { authorization: `Bearer ${token}` };
    const alone = operationsOf(await theDocument()).filter(
      ({ operation }) => operation.security !== undefined,
    );
    expect(alone.length).toBeGreaterThan(0);
    for (const { method, path } of alone) {
      const body = method === "post" ? { uri: GROUP, members: [] } : undefined;
      const got = await world.it.ask(method.toUpperCase(), path.replace("/gms/v1", ""), { headers, body });
      expect(got.status, `${method} ${path}`).toBe(403);
    }
    expect(OPERATOR_TOKEN).not.toBe(token);
  });
});
