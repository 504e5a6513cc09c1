/** The public API is what docs/api records. After an intended change: `npm run build && npm run api`. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("every entry of the package exports the names and types recorded in docs/api", () => {
  const tool = fileURLToPath(new URL("../../tools/api-report.mjs", import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [tool, "--check"], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
}, 60_000);
