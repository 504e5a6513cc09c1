/** The pages as a browser loads them. */
import { spawnSync } from "node:child_process";

/**
 * Builds web/dist, unless a build came before the tests, as in `npm test`: test files that run at the same time would
 * delete it for each other.
 */
export function buildPages(): void {
  if (process.env.MIKEY_SAKKE_BUILT === "1") return;
  const { status, stderr } = spawnSync(process.execPath, ["tools/build-web.mjs"], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}
