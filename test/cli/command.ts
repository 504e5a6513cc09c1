/** The command as a process of its own: as it was built under `npm test`, which starts in half the time, or its sources. */
import { fileURLToPath } from "node:url";

const pathOf = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** Arguments of Node.js that come before those of the command. */
export const COMMAND: readonly string[] =
  process.env.MIKEY_SAKKE_BUILT === "1"
    ? [pathOf("dist/cli/main.js")]
    : ["--import", "tsx", pathOf("cli/main.ts")];
