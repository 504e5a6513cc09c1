/** An XCAP server over a GMS in memory, asked without sockets. */

import { afterAll, beforeAll } from "vitest";
import { toHex } from "../../../base/bytes.ts";
import { defined } from "../../../base/defined.ts";
import { gktpUserPath, groupDocumentPath } from "../../../documents/group-xml/index.ts";
import { operator } from "../../../roles/gms/common/caller.ts";
import { type GmsConfigInput, gmsAudience } from "../../../roles/gms/common/config.ts";
import type { GmsLog } from "../../../roles/gms/common/log.ts";
import { type GmsMetrics, noMetrics } from "../../../roles/gms/common/metrics.ts";
import type { GmsCore } from "../../../roles/gms/context.ts";
import { createXcapServer } from "../../../roles/gms/http/server.ts";
import { DevelopmentIssuer } from "../../../roles/server/development-tokens.ts";
import type { GmsAuditRecord } from "../../../store/gms/records.ts";
import { GMS_URI, makeCore, makeWorld, memberUri, newMembers, sealAll, type World } from "../memory-gms.ts";

export const GROUP = "sip:fire@home.example";
export const [ALICE, BOB, MALLORY] = [memberUri(0), memberUri(1), "sip:mallory@home.example"];
export const MANAGER = "sip:chief@home.example";
export const CREATOR = "sip:founder@home.example";
export const ROOT = "/xcap";
export const GROUP_PATH = `${ROOT}/${groupDocumentPath(GROUP)}`;
export const keysPath = (uri: string): string => `${ROOT}/${gktpUserPath(uri)}`;
export const OTHER_AUDIENCE = "kms.home.example";

export interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Asked {
  /** User of the token; null for no token. */
  readonly as?: string | null;
  /** The access token in place of one for `as`. */
  readonly token?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly body?: string | Uint8Array;
}

export interface XcapWorld {
  readonly world: World;
  readonly core: GmsCore;
  readonly issuer: DevelopmentIssuer;
  readonly app: ReturnType<typeof createXcapServer>;
  /** Counted answers as "type code". */
  readonly counted: string[];
  /** Texts of its log at level info and above. */
  readonly logged: string[];
  token(
    userUri: string,
    more?: { audience?: string[]; scopes?: string[]; lifetime?: number },
  ): Promise<string>;
  ask(path: string, asked?: Asked): Promise<Got>;
  audit(): Promise<GmsAuditRecord[]>;
  /** Messages of these members in hexadecimal, as documents have them. */
  messages(...uris: string[]): Promise<string[]>;
  close(): Promise<void>;
}

export interface XcapWorldOptions {
  readonly config?: Partial<GmsConfigInput>;
}

/** Starts a GMS with one group of two members whose first messages are sealed. */
async function xcapWorld({ config }: XcapWorldOptions = {}): Promise<XcapWorld> {
  const world = await makeWorld({ config: { groupCreators: [CREATOR], ...config } });
  const issuer = await DevelopmentIssuer.create([
    gmsAudience(GMS_URI),
    { uri: OTHER_AUDIENCE, scopes: { "3gpp:mc:ptt_key_management_service": ["mcptt_id"] } },
  ]);
  const counted: string[] = [];
  const metrics: GmsMetrics = { ...noMetrics, answered: (type, code) => counted.push(`${type} ${code}`) };
  const logged: string[] = [];
  const note = (_facts: object, text: string) => void logged.push(text);
  const log: GmsLog = { debug() {}, info: note, warn: note, error: note };
  const core = makeCore(world, { metrics, log });
  const app = createXcapServer({ context: core.context, tokens: issuer.verifier(GMS_URI) });
  const settings = { managers: [MANAGER] };
  await core.context.admin.createGroup(operator("operator"), {
    uri: GROUP,
    members: newMembers(2),
    settings,
  });
  await sealAll(core);
  const token: XcapWorld["token"] = (userUri, more = {}) =>
    issuer.token({ userUri, now: world.now(), ...more });
  return {
    world,
    core,
    issuer,
    app,
    counted,
    logged,
    token,
    async ask(path, { as = ALICE, token: given, method = "GET", headers = {}, type, body } = {}) {
      const bearer = given ?? (as === null ? undefined : await token(as));
      const answer = await app.inject({
        method: method as "GET",
        url: path,
        headers: {
          ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
          ...defined({ "content-type": type }),
          ...headers,
        },
        ...(body !== undefined && { payload: typeof body === "string" ? body : Buffer.from(body) }),
      });
      return {
        status: answer.statusCode,
        headers: answer.headers as Record<string, string>,
        body: answer.body,
      };
    },
    audit: () => world.store.auditLog({ limit: 1000 }),
    async messages(...uris) {
      const found = await Promise.all(uris.map((uri) => world.store.gktpOf(uri)));
      return found.flat().map(({ octets }) => toHex(octets).toUpperCase());
    },
    async close() {
      await app.close();
      await world.close();
    },
  };
}

/** One world for all tests of a file. */
export function sharedXcapWorld(options?: XcapWorldOptions): { readonly it: XcapWorld } {
  const holder: { it: XcapWorld } = { it: undefined as never };
  beforeAll(async () => {
    holder.it = await xcapWorld(options);
  });
  afterAll(() => holder.it?.close());
  return holder;
}
