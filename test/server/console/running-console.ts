/** The console before a KMS and a GMS in memory, whose members answer as tests say, with a client that is no browser. */
import { fileURLToPath } from "node:url";
import { defined, ifDefined } from "../../../base/defined.ts";
import { systemRandom } from "../../../base/random.ts";
import type { ConsoleBackend } from "../../../roles/console/backend.ts";
import type { ConsoleConfigInput } from "../../../roles/console/config.ts";
import type { SessionView } from "../../../roles/console/messages.ts";
import { type Console, createConsole } from "../../../roles/console/server.ts";
import { createGmsAdminServer } from "../../../roles/gms/admin/server.ts";
import type { GmsCore } from "../../../roles/gms/context.ts";
import type { KmsAdmin } from "../../../roles/kms/admin/admin.ts";
import { createKmsAdmin } from "../../../roles/kms/admin/operations.ts";
import { createKmsAdminServer } from "../../../roles/kms/admin/server.ts";
import { createKeyIssuer, makeKms } from "../../../roles/kms/issue/index.ts";
import type { McxState } from "../../../roles/mcx/admin/metrics.ts";
import { createMcxAdminServer } from "../../../roles/mcx/admin/server.ts";
import { CallLog } from "../../../roles/mcx/session/call-log.ts";
import { Emergencies } from "../../../roles/mcx/session/emergencies.ts";
import { urlOf } from "../../../roles/server/listener.ts";
import { noLog } from "../../../roles/server/log.ts";
import { KmsStore } from "../../../store/index.ts";
import { AWAY_KMS, HOME_KMS, makeCore, makeWorld, type World } from "../../gms/memory-gms.ts";
import { VirtualClock } from "../../support/clock.ts";

export const TOKEN = "the operator's token of the console";
export const GROUP = "sip:fire@home.example";

export interface ConsoleWorld {
  readonly world: World;
  readonly core: GmsCore;
  readonly kms: KmsAdmin;
  readonly console: Console;
  readonly origin: string;
  /** Admin APIs behind it. */
  readonly apis: ConsoleBackend["apis"];
  /** Calls that the MCX server says it has. */
  readonly calls: { sessions: ReturnType<McxState["sessions"]> };
  readonly emergencies: Emergencies;
  readonly callLog: CallLog;
  /** Processes that GMS and MCX server say they have. */
  readonly processes: { list: Awaited<ReturnType<ConsoleBackend["processes"]>> };
  /** Paces the samples of the last day. */
  readonly clock: VirtualClock;
  /** Without what a browser adds by itself, unless it is given. */
  ask(method: string, path: string, headers?: Record<string, string>, body?: unknown): Promise<Response>;
  /** Cookie and CSRF token of a new session. */
  signIn(): Promise<{ readonly cookie: string; readonly csrf: string }>;
  close(): Promise<void>;
}

/** `now`: of the sessions; `callTime`: of the calls that the MCX server keeps. */
export async function consoleWorld({
  now = Date.now,
  callTime = Date.now,
  config = {},
  runs = false,
  talk,
}: {
  readonly now?: () => number;
  readonly callTime?: () => number;
  readonly config?: ConsoleConfigInput;
  /** Whether the GMS seals by itself. */
  readonly runs?: boolean;
  /** The servers for calls from the console. */
  readonly talk?: ConsoleBackend["talk"];
} = {}): Promise<ConsoleWorld> {
  // Shortens the half minute in which a lost radio may still listen.
  const world = await makeWorld({
    now: Date.now(),
    storeTime: "database",
    config: { policy: { revokeGrace: 1 } },
  });
  const core = makeCore(world, { now: Date.now });
  if (runs) await core.start();
  const store = KmsStore.open(world.db, world.envelope);
  const made = { core: world.core, random: systemRandom, now: Date.now(), kmsUri: HOME_KMS };
  await makeKms(store, { ...made, userKeyPeriod: 2_592_000, userKeyOffset: 0 });
  const issuer = await createKeyIssuer({ store, core: world.core, now: Date.now });
  const maker = async () => ({ core: world.core, issuer });
  const kms = createKmsAdmin({ store, now: Date.now, maker });
  const calls: ConsoleWorld["calls"] = { sessions: [] };
  const processes: ConsoleWorld["processes"] = { list: [] };
  const clock = new VirtualClock();
  const emergencies = new Emergencies(Date.now);
  const callLog = new CallLog(callTime);
  const mcx: McxState = {
    sessions: () => calls.sessions,
    privateCalls: () => 0,
    videoCalls: () => 0,
    clients: () => [],
    totals: () => ({}),
    emergencies: () => emergencies.list(),
    onEmergency: (begun) => emergencies.on(begun),
    calls: () => callLog.list(),
    onCall: (changed) => callLog.on(changed),
  };
  const ready = async () => undefined;
  const listeners = {
    gms: createGmsAdminServer({ context: core.context, token: "gms", ready }),
    kms: createKmsAdminServer({ admin: kms, token: "kms", ready, log: noLog, random: systemRandom }),
    mcx: createMcxAdminServer({
      state: mcx,
      token: "mcx",
      ready,
      refreshKms: async () => [HOME_KMS, AWAY_KMS],
      log: noLog,
      random: systemRandom,
    }),
  };
  const host = "127.0.0.1";
  const apis: Record<string, { url: string; token: string }> = {};
  for (const [name, app] of Object.entries(listeners)) {
    await app.listen({ host, port: 0 });
    apis[name] = { url: urlOf(app, "http", host), token: name };
  }
  const console = createConsole({
    config: { ...config, listen: { port: 0 } },
    token: TOKEN,
    now,
    timer: clock,
    folder: fileURLToPath(new URL("../../../web/dist/console", import.meta.url)),
    backend: {
      gms: core.context.admin,
      on: core.context.on,
      kms,
      mcx,
      processes: async () => processes.list,
      apis,
      identities: { gms: "sip:gms@home.example" },
      talk,
    },
  });
  const { origin } = await console.listen();
  const ask: ConsoleWorld["ask"] = (method, path, headers = {}, body) =>
    fetch(`${origin}${path}`, {
      method,
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...defined({ body: ifDefined(body, JSON.stringify) }),
    });
  return {
    ...{ world, core, kms, console, origin, apis, calls, emergencies, callLog, processes, clock, ask },
    async signIn() {
      const answer = await ask("POST", "/session", { origin }, { code: codeOf(console.link()), name: "Ada" });
      if (!answer.ok) throw new Error(await answer.text());
      const cookie = answer.headers.get("set-cookie")!.split(";")[0]!;
      return { cookie, csrf: ((await answer.json()) as SessionView).csrf };
    },
    async close() {
      await console.close();
      for (const app of Object.values(listeners)) await app.close();
      await core.stop();
      await world.close();
    },
  };
}

export const codeOf = (link: string): string => link.split("#code=")[1]!;
