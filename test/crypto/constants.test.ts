/** The constants in assembly/generated are what tools/generate-constants.mjs makes. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const GENERATED = "assembly/generated";

function check(root: string): { status: number | null; stderr: string } {
  const script = join(root, "tools/generate-constants.mjs");
  return spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
}

describe("generated constants", () => {
  let copy: string;

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), "mikey-sakke-constants-"));
    for (const part of ["tools", GENERATED]) cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  });
  afterAll(() => rmSync(copy, { recursive: true }));

  it("are up to date", () => {
    expect(check(ROOT)).toMatchObject({ status: 0, stderr: "" });
    expect(check(copy)).toMatchObject({ status: 0, stderr: "" });
  });

  it.each(readdirSync(join(ROOT, GENERATED)))("are found stale when a digit of %s differs", (name) => {
    const path = join(copy, GENERATED, name);
    const text = readFileSync(path, "utf8");
    // The last digit of the last number.
    const changed = text.replace(/[0-9a-f](?=[^0-9a-f]*$)/, (digit) => (digit === "1" ? "2" : "1"));
    expect(changed).not.toBe(text);
    writeFileSync(path, changed);
    const { status, stderr } = check(copy);
    writeFileSync(path, text);
    expect(status).toBe(1);
    expect(stderr).toContain(name);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  it("are written again as they were", () => {
    const read = () =>
      readdirSync(join(copy, GENERATED)).map((name) => readFileSync(join(copy, GENERATED, name), "utf8"));
    const before = read();
    for (const name of readdirSync(join(copy, GENERATED))) writeFileSync(join(copy, GENERATED, name), "");
    expect(check(copy).status).toBe(1);
    const script = join(copy, "tools/generate-constants.mjs");
    expect(spawnSync(process.execPath, [script]).status).toBe(0);
    expect(read()).toEqual(before);
  });
});
