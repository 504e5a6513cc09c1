import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("the constant tables in assembly/generated are those that the generator makes", () => {
  const tool = fileURLToPath(new URL("../../../tools/generate-constants.mjs", import.meta.url));
  const run = spawnSync(process.execPath, [tool, "--check"], { encoding: "utf8" });
  expect(run.stderr).toBe("");
  expect(run.status).toBe(0);
});
