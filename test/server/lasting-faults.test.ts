import { expect, it } from "vitest";
import { MikeySakkeError } from "../../base/errors.ts";
import { LastingFaults } from "../../roles/server/lasting-faults.ts";

const lost = new MikeySakkeError("transport", "STORE_LOST", "the database cannot be reached");

function faults() {
  const lines: string[] = [];
  let now = 0;
  const log = {
    debug() {},
    warn() {},
    info: (facts: object, text: string) => lines.push(`info ${text} ${JSON.stringify(facts)}`),
    error: (_: object, text: string) => lines.push(`error ${text}`),
  };
  return { lines, all: new LastingFaults(log, () => now), pass: (ms: number) => (now += ms) };
}

it("an unreachable database is reported once, whoever needs it, and so is its return", () => {
  const { lines, all, pass } = faults();
  for (let second = 0; second < 60; second++) {
    for (const part of ["claims", "looks", "presence"]) all.failed(part, lost, `${part} failed`);
    pass(1000);
  }
  expect(lines).toEqual(["error claims failed"]);
  all.succeeded("claims");
  all.succeeded("looks");
  expect(lines).toHaveLength(1);
  all.succeeded("presence");
  all.succeeded("presence");
  const facts = { code: "STORE_LOST", seconds: 60, failures: 180 };
  expect(lines.slice(1)).toEqual([`info database: it works again ${JSON.stringify(facts)}`]);
  all.failed("looks", lost, "again");
  expect(lines).toHaveLength(3);
});

it("another fault of the database is reported separately, and an error of unknown kind without its text", () => {
  const { lines, all } = faults();
  all.failed("claims", lost, "lost");
  all.failed("claims", new TypeError("a secret"), "broken");
  all.failed("claims", new TypeError("a secret"), "broken");
  expect(lines).toEqual(["error lost", "error broken"]);
  expect(lines.join()).not.toContain("secret");
});
