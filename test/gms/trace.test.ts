/** One rekey, followed by its trace ID from the operator's request to the answer of each member. */
import { createHash } from "node:crypto";
import { trace } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterEach, describe, expect, it } from "vitest";
import { defined } from "../../base/defined.ts";
import { systemRandom } from "../../base/random.ts";
import { traceIdOf } from "../../base/traceparent.ts";
import { gktpUserPath, MEDIA, writeGktpReport } from "../../documents/group-xml/index.ts";
import { createGmsAdminServer } from "../../roles/gms/admin/server.ts";
import type { GmsLog } from "../../roles/gms/common/log.ts";
import { createXcapServer } from "../../roles/gms/http/server.ts";
import { loadTracing, type Tracing } from "../../roles/server/tracing.ts";
import { memberUri, newMembers } from "./memory-gms.ts";
import { ADMIN, GROUP, Setup } from "./sip/support/gms.ts";

const TOKEN = "operator's token";
const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;
const [ALICE, BOB] = [memberUri(0), memberUri(1)];

interface Line {
  readonly text: string;
  readonly level: keyof GmsLog;
  readonly traceId?: string;
  readonly [name: string]: unknown;
}

let setup: Setup | undefined;
let lines: Line[] = [];

afterEach(async () => {
  await setup?.close();
  trace.disable();
});

async function start(tracing?: Tracing): Promise<void> {
  lines = [];
  const at = (level: keyof GmsLog) => (facts: object, text: string) =>
    void lines.push({ ...facts, text, level });
  const log: GmsLog = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  setup = await Setup.create({ log, ...defined({ tracing }) });
  await setup.gms.context.admin.createGroup(ADMIN, { uri: GROUP, members: newMembers(2) });
}

/** The operator's request, whose answer is the rekey. */
async function rekey(headers: Record<string, string>): Promise<{ id: number; traceparent: string }> {
  const ready = async () => {};
  const app = createGmsAdminServer({ context: setup!.gms.context, token: TOKEN, ready });
  const answer = await app.inject({
    method: "POST",
    url: `/gms/v1/groups/${encodeURIComponent(GROUP)}/rekeys`,
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    payload: {},
  });
  await app.close();
  expect(answer.statusCode).toBe(202);
  return answer.json();
}

/** Bob fetches the message over HTTP and reports the result. */
async function fetchAndReport(): Promise<void> {
  const { gms, tokens } = setup!;
  const app = createXcapServer({ context: gms.context, tokens });
  const url = `/xcap/${gktpUserPath(BOB)}`;
  const authorization = `Bearer ${await setup!.token(BOB)}`;
  expect((await app.inject({ url, headers: { authorization } })).statusCode).toBe(200);
  const [message] = await gms.context.store.gktpOf(BOB);
  const sha256 = createHash("sha256").update(message!.octets).digest("hex");
  const answer = await app.inject({
    method: "POST",
    url,
    headers: { authorization, "content-type": MEDIA.gktpReport },
    payload: writeGktpReport([{ sha256, result: "failed", warning: '399 example "no key"' }]),
  });
  expect(answer.statusCode).toBe(204);
  await app.close();
}

async function followed(headers: Record<string, string>) {
  const alice = await setup!.member(0);
  const asked = await rekey(headers);
  alice.subscribe();
  const state = async (member: number) => (await setup!.states(asked.id))[member];
  await setup!.until(async () => (await state(0)) === "acknowledged");
  await fetchAndReport();
  await setup!.until(() => lines.some(({ text, rekey: of }) => text === "rekey done" && of === asked.id));
  return asked;
}

const linesOf = (traceId: string) => lines.filter((line) => line.traceId === traceId);

describe("the log of a GMS", () => {
  it("has the trace ID of the operator's traceparent in every line of the rekey", async () => {
    await start();
    const { id, traceparent } = await followed({ traceparent: TRACEPARENT });
    expect(traceIdOf(traceparent)).toBe(TRACE_ID);
    const found = linesOf(TRACE_ID);
    expect(found.map(({ level, text }) => `${level}: ${text}`).sort()).toEqual([
      "debug: member answered",
      "debug: message sent",
      "debug: message sent",
      "debug: messages sealed",
      "info: admin request",
      "info: rekey done",
      "info: rekey planned",
      "warn: member answered",
    ]);
    expect(found.filter(({ text }) => text !== "admin request").every((line) => line.rekey === id)).toBe(
      true,
    );
    expect(found.filter(({ text }) => text === "member answered")).toMatchObject([
      { member: ALICE, transport: "sip", state: "acknowledged", status: 200 },
      { member: BOB, transport: "http", state: "refused", reason: expect.stringContaining("no key") },
    ]);
    // What was fetched over HTTP is delivered; the report comes when the member likes.
    const done = found.find(({ text }) => text === "rekey done");
    expect(done).toMatchObject({ members: 2, acknowledged: 1, delivered: 1 });
    const audited = await setup!.gms.context.store.auditLog({ limit: 1000 });
    expect(audited.find(({ action }) => action === "rekey")?.detail).toMatchObject({ traceId: TRACE_ID });
  });

  it("has a trace ID of its own for each operation without one", async () => {
    await start();
    const first = await rekey({});
    const second = await rekey({ traceparent: "00-0123-4567-00" });
    const ids = [first, second].map(({ traceparent }) => traceIdOf(traceparent)!);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) {
      const texts = linesOf(id).map(({ text }) => text);
      expect(texts.slice(0, 2)).toEqual(["admin request", "rekey planned"]);
    }
  });

  it("keeps the trace ID in the revocation that follows the removal of a member", async () => {
    await start();
    const alice = await setup!.member(0);
    alice.subscribe();
    await setup!.until(() => alice.heard.length > 0);
    await setup!.gms.context.admin.traced(TRACEPARENT).removeMembers(ADMIN, GROUP, [ALICE]);
    const causes = () => linesOf(TRACE_ID).map(({ cause }) => cause);
    await setup!.until(() => causes().includes("holder removed"), "the revocation");
    expect(causes()).toContain("member removed");
  });
});

describe("OpenTelemetry", () => {
  it("gets spans of the request, the rekey, sealing and each delivery, in one trace", async () => {
    const exporter = new InMemorySpanExporter();
    const spanProcessors = [new SimpleSpanProcessor(exporter)];
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
    await start(await loadTracing(systemRandom));
    await followed({ traceparent: TRACEPARENT });
    const spans = exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === TRACE_ID);
    const names = new Map(spans.map((span) => [span.spanContext().spanId, span.name]));
    const steps = spans.map((span) => [
      names.get(span.parentSpanContext?.spanId ?? "") ?? "operator",
      span.name,
    ]);
    expect(steps.sort()).toEqual([
      ["gms.admin.rekey", "gms.rekey"],
      ["gms.rekey", "gms.deliver"],
      ["gms.rekey", "gms.deliver"],
      ["gms.rekey", "gms.seal"],
      ["operator", "gms.admin.rekey"],
    ]);
    expect(spans.find(({ name }) => name === "gms.seal")?.attributes).toMatchObject({
      "mikey_sakke.members": 2,
    });
  });

  it("without a provider leaves the log its trace IDs", async () => {
    const tracing = await loadTracing(systemRandom);
    const [root, child] = [tracing.begin("a"), tracing.begin("b", { parent: TRACEPARENT })];
    expect(traceIdOf(root.traceparent)).toMatch(/^[0-9a-f]{32}$/);
    expect(child.traceparent).toMatch(new RegExp(`^00-${TRACE_ID}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`));
  });
});
