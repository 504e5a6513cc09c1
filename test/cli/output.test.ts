import { describe, expect, it, vi } from "vitest";
import { MikeySakkeError } from "../../base/errors.ts";
import { exitStatusOf } from "../../cli/terminal/exit-status.ts";
import { Output, table } from "../../cli/terminal/output.ts";

function capture(isTTY = false) {
  const written = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof written) => ({
    isTTY,
    columns: 60,
    write: (text: string) => {
      written[name] += text;
    },
  });
  return { written, streams: { stdout: stream("stdout"), stderr: stream("stderr") } };
}

const refused = new MikeySakkeError("verification", "BAD_SIGNATURE", "the signature does not verify", {
  check: 41,
});

describe("the output of a command", () => {
  it("is text, or JSON alone with --json", () => {
    for (const json of [false, true]) {
      const { written, streams } = capture();
      const output = new Output(streams, json);
      output.note("a note");
      output.result({ a: 1 }, () => ["one", "two"]);
      output.progress("p", 10).update(10);
      expect(written.stdout).toBe(json ? '{\n  "a": 1\n}\n' : "one\ntwo\n");
      expect(written.stderr).toBe(json ? "" : "a note\np: 0/10\np: 10/10\n");
    }
  });

  it("names the check that refused, and what to do next", () => {
    const text = capture();
    new Output(text.streams, false).error(refused);
    new Output(text.streams, false).error(new MikeySakkeError("usage", "FILE_EXISTS", "x: exists already"));
    expect(text.written.stderr).toContain("the signature does not verify (check 41)");
    expect(text.written.stderr).toContain("--force");
    const json = capture();
    new Output(json.streams, true).error(refused);
    expect(JSON.parse(json.written.stdout)).toMatchObject({
      status: "refused",
      code: "BAD_SIGNATURE",
      check: 41,
    });
    expect(json.written.stderr).toBe("");
  });

  it("says where an unforeseen error came up", () => {
    const { written, streams } = capture();
    new Output(streams, false).error(new TypeError("x is undefined"));
    expect(written.stderr).toMatch(/^mikey-sakke: internal error: x is undefined\n +at .*output\.test\.ts/);
  });

  it("goes with status 2 for a wrong call, 1 for a refusal, 70 for an unforeseen error", () => {
    expect(exitStatusOf(new MikeySakkeError("usage", "BAD_CALL", ""))).toBe(2);
    expect(exitStatusOf(refused)).toBe(1);
    expect(exitStatusOf(new TypeError("bug"))).toBe(70);
  });
});

describe("the progress of a command", () => {
  it("is a bar on a terminal, no wider than it, and ends its line", () => {
    const { written, streams } = capture(true);
    const progress = new Output(streams, false).progress("sealing for the members", 1000);
    for (let i = 1; i <= 1000; i++) progress.update(i);
    progress.end();
    const drawings = written.stderr.replace(/\n$/, "").split("\r\x1b[K").slice(1);
    expect(drawings.length).toBeLessThan(100);
    expect(drawings.at(-1)).toMatch(/^sealing for the members {2}\[#{5,}\] {2}1000\/1000( {2}\d+\/s)?$/);
    for (const drawing of drawings) expect(drawing.length).toBeLessThan(60);
    expect(written.stderr.endsWith("\n")).toBe(true);
  });

  it("is 80 columns wide on a terminal that does not know its width", () => {
    const { written, streams } = capture(true);
    const stderr = { ...streams.stderr, columns: 0 };
    new Output({ ...streams, stderr }, false).progress("sealing", 10).end();
    expect(written.stderr).toContain("0/10\n");
  });

  it.each([
    ["on a terminal", true, /100\/1000 {2}20\/s {2}45 s left/],
    ["elsewhere", false, /sealing: 100\/1000, 45 s left\n/],
  ])("tells from its pace how long it will take, %s", (_, isTerminal, expected) => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const { written, streams } = capture(isTerminal);
      const progress = new Output(streams, false).progress("sealing", 1000);
      progress.update(1);
      expect(written.stderr).not.toContain("left");
      vi.advanceTimersByTime(5000);
      progress.update(100);
      expect(written.stderr).toMatch(expected);
      vi.advanceTimersByTime(95_000);
      progress.update(200);
      expect(written.stderr).toContain("6 min 40 s left");
      progress.update(1000);
      progress.end();
      expect(written.stderr).toMatch(/1000\/1000( {2}\d+\/s)?\n$/);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is a line at the start and ten more elsewhere than on a terminal", () => {
    const { written, streams } = capture();
    const progress = new Output(streams, false).progress("sealing", 1000);
    for (let i = 1; i <= 1000; i++) progress.update(i);
    progress.end();
    expect(written.stderr.trimEnd().split("\n")).toHaveLength(11);
    expect(written.stderr).toMatch(/^sealing: 0\/1000\n/);
    expect(written.stderr).toContain("sealing: 500/1000\n");
  });
});

it("a table aligns numbers to the right", () => {
  expect(
    table([
      ["step", "count"],
      ["seal", "1000"],
      ["open all", "7"],
    ]),
  ).toEqual(["step      count", "--------  -----", "seal       1000", "open all      7"]);
});

it("a table has any number of rows", () => {
  const rows = Array.from({ length: 150_000 }, () => ["alice"]);
  expect(table([["user"], ...rows]).at(-1)).toBe("alice");
});
