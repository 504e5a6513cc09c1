/** The OpenAPI document of the MCX server's admin API says what the server does. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemRandom } from "../../../base/random.ts";
import type { McxState } from "../../../roles/mcx/admin/metrics.ts";
import { SCHEMAS } from "../../../roles/mcx/admin/operations.ts";
import { createMcxAdminServer } from "../../../roles/mcx/admin/server.ts";
import { CallLog } from "../../../roles/mcx/session/call-log.ts";
import { Emergencies } from "../../../roles/mcx/session/emergencies.ts";
import { urlOf } from "../../../roles/server/listener.ts";
import { noLog } from "../../../roles/server/log.ts";
import { AnswerCheck, expectWhole, type OpenApi, operationsOf } from "../../support/openapi.ts";

const GROUP = "sip:fire@home.example";
const ALICE = "sip:alice@home.example";
const emergencies = new Emergencies(Date.now);
const callLog = new CallLog(Date.now);
const state: McxState = {
  sessions: () => [
    {
      ...{ groupUri: GROUP, participants: [ALICE], talkers: [ALICE], emergencies: [ALICE], mixed: true },
      counters: { relayed: 3 },
    },
  ],
  privateCalls: () => 0,
  videoCalls: () => 0,
  clients: () => [ALICE],
  totals: () => ({}),
  emergencies: () => emergencies.list(),
  onEmergency: (begun) => emergencies.on(begun),
  calls: () => callLog.list(),
  onCall: (changed) => callLog.on(changed),
};
const app = createMcxAdminServer({
  ...{ state, token: "operator", ready: async () => undefined, log: noLog, random: systemRandom },
  refreshKms: async () => ["kms.home.example"],
});
let url: string;
let document: OpenApi;

beforeAll(async () => {
  emergencies.called(GROUP, ALICE);
  const over = callLog.begin(GROUP);
  over.talking([ALICE]);
  over.end();
  callLog.begin(GROUP);
  await app.listen({ host: "127.0.0.1", port: 0 });
  url = urlOf(app, "http", "127.0.0.1");
  document = (await (await fetch(`${url}/mcx/v1/openapi.json`)).json()) as OpenApi;
});
afterAll(() => app.close());

describe("the OpenAPI document of the MCX server", () => {
  it("is whole, and each of its operations is a route", () => {
    expectWhole(document);
    for (const { method, path } of operationsOf(document))
      expect(app.hasRoute({ method: method.toUpperCase() as "GET", url: path }), path).toBe(true);
  });

  it("has every route below /mcx/v1", () => {
    const routes = app.printRoutes({ commonPrefix: false, includeHooks: false });
    const paths = operationsOf(document).map(({ path }) => path);
    const found = [...routes.matchAll(/(\/mcx\/v1\S*) \(/g)].map(([, path]) => path!);
    expect(found.sort()).toEqual([...paths, "/mcx/v1/openapi.json"].sort());
  });

  it("has the shapes of all answers, and of refusals", async () => {
    const answers = new AnswerCheck(document, SCHEMAS);
    for (const { method, path } of operationsOf(document)) {
      for (const token of ["operator", "other"]) {
        const headers = { authorization: `Bearer ${token}` };
        await answers.check(
          path,
          method,
          await fetch(`${url}${path}`, { method: method.toUpperCase(), headers }),
        );
      }
    }
    expect(answers.covered.size).toBe(operationsOf(document).length);
  });
});
