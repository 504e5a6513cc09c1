/** An admin server over a GMS in memory, on a socket, with the client of its operator. */
import { afterAll, beforeAll } from "vitest";
import { type GmsAdminClient, gmsAdminClient } from "../../../roles/gms/admin/client.ts";
import { createGmsAdminServer } from "../../../roles/gms/admin/server.ts";
import { gmsAudience } from "../../../roles/gms/common/config.ts";
import type { GmsCore } from "../../../roles/gms/context.ts";
import { DevelopmentIssuer } from "../../../roles/server/development-tokens.ts";
import { urlOf } from "../../../roles/server/listener.ts";
import { GMS_URI, makeCore, makeWorld, type World } from "../memory-gms.ts";

export const OPERATOR_TOKEN = "operator's token";
export const [CHIEF, DEPUTY, MALLORY] = ["chief", "deputy", "mallory"].map(
  (n) => `sip:${n}@home.example`,
) as [string, string, string];

export interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly json: unknown;
}

export interface AdminWorld {
  readonly world: World;
  readonly core: GmsCore;
  readonly app: ReturnType<typeof createGmsAdminServer>;
  readonly url: string;
  readonly operator: GmsAdminClient;
  readonly issuer: DevelopmentIssuer;
  token(userUri: string): Promise<string>;
  client(userUri: string): Promise<GmsAdminClient>;
  /** Below /gms/v1, as the operator unless a header says otherwise. */
  ask(
    method: string,
    path: string,
    asked?: { body?: unknown; headers?: Record<string, string> },
  ): Promise<Got>;
  close(): Promise<void>;
}

/** Whether requests can be answered, by the health check. */
export const health = { ready: true };

async function adminWorld(): Promise<AdminWorld> {
  const world = await makeWorld();
  const core = makeCore(world);
  const issuer = await DevelopmentIssuer.create([gmsAudience(GMS_URI)]);
  const app = createGmsAdminServer({
    context: core.context,
    token: OPERATOR_TOKEN,
    tokens: issuer.verifier(GMS_URI),
    ready: async () => {
      if (!health.ready) throw new Error("no database");
    },
    metrics: { contentType: "text/plain", text: async () => "gms_groups 1\n" },
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const url = urlOf(app, "http", "127.0.0.1");
  const token = (userUri: string) => issuer.token({ userUri, now: world.now() });
  return {
    world,
    core,
    app,
    url,
    issuer,
    operator: gmsAdminClient({ url, token: OPERATOR_TOKEN }),
    token,
    client: async (userUri) => gmsAdminClient({ url, token: await token(userUri) }),
    async ask(method, path, { body, headers = {} } = {}) {
      const response = await fetch(`${url}/gms/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${OPERATOR_TOKEN}`,
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        json: text === "" ? undefined : JSON.parse(text),
      };
    },
    async close() {
      await app.close();
      await core.stop();
      await world.close();
    },
  };
}

/** One world for all tests of a file. */
export function sharedAdminWorld(): { readonly it: AdminWorld } {
  const holder: { it: AdminWorld } = { it: undefined as never };
  beforeAll(async () => {
    holder.it = await adminWorld();
  });
  afterAll(() => holder.it?.close());
  return holder;
}
