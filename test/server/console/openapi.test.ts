/** The OpenAPI document of the console says what the console does. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OPERATIONS, SCHEMAS } from "../../../roles/console/operations.ts";
import { operator } from "../../../roles/gms/common/caller.ts";
import { newMembers } from "../../gms/memory-gms.ts";
import { AnswerCheck, expectWhole, type OpenApi, operationsOf } from "../../support/openapi.ts";
import { type ConsoleWorld, codeOf, consoleWorld, GROUP, TOKEN } from "./running-console.ts";
import { TALK } from "./talk-servers.ts";

const USER = "sip:carol@home.example";
let here: ConsoleWorld;
let document: OpenApi;

beforeAll(async () => {
  here = await consoleWorld({ config: { dispatcher: { developmentTokens: true } }, talk: TALK });
  const members = [...newMembers(2), { uri: USER }];
  await here.core.context.admin.createGroup(operator("test"), { uri: GROUP, members });
  document = (await (await here.ask("GET", "/openapi.json")).json()) as OpenApi;
});
afterAll(() => here?.close());

describe("the OpenAPI document of the console", () => {
  it("is whole, and has the operations of the console", () => {
    expectWhole(document);
    expect(
      operationsOf(document)
        .map(({ operation }) => operation.operationId)
        .sort(),
    ).toEqual(Object.keys(OPERATIONS).sort());
  });

  it("says which operations need no session, as the console does", async () => {
    for (const { method, path, operation } of operationsOf(document)) {
      const { origin } = here;
      const isOpen = operation.security !== undefined;
      const body = operation.requestBody === undefined ? undefined : {};
      const { status } = await here.ask(method.toUpperCase(), path, { origin }, body);
      if (operation.operationId === "makeLink" || !isOpen) expect(status, path).toBe(401);
      else expect(status, path).toBe(400);
    }
  });

  it("has the shapes of all answers, and of refusals", async () => {
    const answers = new AnswerCheck(document, SCHEMAS);
    const { origin } = here;
    const { cookie, csrf } = await here.signIn();
    const session = { origin, cookie, "csrf-token": csrf };
    const ask = async (method: string, path: string, headers: Record<string, string>, body?: object) =>
      answers.check(path, method, await here.ask(method, path, headers, body));
    here.emergencies.called(GROUP, USER);
    const { id } = here.emergencies.list()[0]!;
    await ask("POST", "/session", { origin }, { code: codeOf(here.console.link()), name: " Ada " });
    await ask("POST", "/session", { origin }, { code: "wrong", name: "Ada" });
    await ask("POST", "/session", { origin }, { code: 7, name: "A\u0000" });
    await ask("GET", "/session", { cookie });
    await ask("POST", "/codes", { authorization: `Bearer ${TOKEN}` });
    await ask("GET", "/history", { cookie });
    await ask("GET", "/alarms", { cookie });
    await ask("POST", "/alarms/acknowledge", session, { id });
    await ask("POST", "/alarms/acknowledge", session, { id: id + 1 });
    await ask("GET", "/alarms", { cookie });
    await ask("POST", "/lost", session, { user: USER, reason: "radio lost" });
    await ask("POST", "/lost", session, { user: USER });
    await ask("GET", "/lost", { cookie });
    await ask("GET", "/config.json", { cookie });
    await ask("POST", "/talk/tokens", session, { user: USER });
    await ask("POST", "/talk/tokens", session, {});
    const events = await here.ask("GET", `/events?group=${encodeURIComponent(GROUP)}`, { cookie });
    expect(events.headers.get("content-type")).toBe("text/event-stream");
    await events.body!.cancel();
    await ask("DELETE", "/session", session);
    await ask("GET", "/session", { cookie });
    expect([...answers.covered, "listen"].sort()).toEqual(Object.keys(OPERATIONS).sort());
  });
});
