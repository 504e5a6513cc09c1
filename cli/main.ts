#!/usr/bin/env node

/** The command `mikey-sakke`. */

import { registerAll } from "./commands/index.ts";
import { run } from "./terminal/command.ts";

// A reader that ends early, as in `mikey-sakke inspect m | head`, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

process.exitCode = await run(process.argv.slice(2), process, registerAll);
