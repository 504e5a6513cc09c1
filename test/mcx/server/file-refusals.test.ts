/** The log of refused requests for files, which anybody can send. */
import { expect, it, onTestFinished } from "vitest";
import { systemRandom } from "../../../bindings/index.ts";
import { MemoryFiles } from "../../../roles/mcx/files/file-depot.ts";
import { createFileServer, FILES_PATH } from "../../../roles/mcx/files/server.ts";
import { noLog } from "../../../roles/server/log.ts";
import { RefusedLog } from "../../../roles/server/refused-log.ts";
import { Admission } from "../../../transport/admission/admission.ts";
import { VirtualClock } from "../../support/clock.ts";
import { nameTokens, tokenOf } from "../signalling/parts.ts";

const ALICE = "sip:alice@home.example";

it("refused requests for files are logged a few times a minute, and then counted, without all that they say", async () => {
  const clock = new VirtualClock();
  const lines: Record<string, unknown>[] = [];
  const write = (facts: object) => lines.push({ ...facts });
  const log = { ...noLog, debug: write, info: write, warn: write, error: write };
  const app = createFileServer({
    depot: new MemoryFiles({ now: () => clock.now(), random: systemRandom }),
    limits: { totalBytes: 1 << 20, keepMs: 60_000 },
    tokens: nameTokens,
    requireMember: async () => undefined,
    url: () => "https://mcx.example",
    maxBytes: 1 << 10,
    requestTimeout: 10,
    guard: { admission: new Admission(), refused: new RefusedLog(log, clock) },
    now: () => clock.now(),
    random: systemRandom,
    log,
    count: () => undefined,
  });
  onTestFinished(() => app.close());
  const ask = (path: string, authorization?: string) =>
    app.inject({ url: path, headers: authorization === undefined ? {} : { authorization } });
  for (let i = 0; i < 50; i++) expect((await ask(FILES_PATH)).statusCode).toBe(401);
  const nowhere = `${FILES_PATH}/${"a".repeat(8000)}`;
  for (let i = 0; i < 50; i++) expect((await ask(nowhere, `Bearer ${tokenOf(ALICE)}`)).statusCode).toBe(404);
  expect(lines.map(({ reason }) => reason)).toEqual([
    ...Array.from({ length: 3 }, () => "TOKEN_INVALID"),
    ...Array.from({ length: 3 }, () => "FILE_REFUSED"),
  ]);
  expect(lines[0]).toMatchObject({ transport: "HTTP", source: "127.0.0.1" });
  expect(Math.max(...lines.map((line) => JSON.stringify(line).length))).toBeLessThan(500);
  lines.length = 0;
  await clock.pass(60_000);
  expect(lines).toMatchObject([{ suppressed: 47 }, { suppressed: 47 }]);
});
