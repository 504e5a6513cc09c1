/** `group reset-clock`: the way back after the database's clock was wrong. */
import type { Command } from "commander";
import { type GmsFolderArgs, gmsFolderOption } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";

export function registerGroupClock(group: Command, runner: Runner): void {
  runner.define<[], GmsFolderArgs>(
    group,
    "reset-clock",
    {
      summary: "let the time of messages go on from the database's clock",
      description:
        "After the clock of the database was ahead for a while, the time of messages (T) is ahead as well, and nothing is " +
        "sent (CLOCK_AHEAD). Once the clock is right, this lets T continue from it. Names the groups whose last keys cannot be read yet.",
      example: "mikey-sakke group reset-clock",
    },
    (command) => gmsFolderOption(command),
    resetClock,
  );
}

async function resetClock({ output }: Context, options: GmsFolderArgs): Promise<ExitStatus> {
  const { OPERATOR, withGmsAdmin } = await import("../gms/with-admin.ts");
  const { ahead, groups } = await withGmsAdmin(options, (admin) => admin.resetClock(OPERATOR));
  output.result({ status: "ok", ahead, groups: [...groups] }, () =>
    ahead === 0
      ? ["T is not ahead of the database's clock: nothing was changed"]
      : [
          `T was ${ahead} s ahead, and goes on from the database's clock`,
          ...groups.map((uri) => `give a new key: mikey-sakke group rekey ${uri}`),
        ],
  );
  return EXIT.accepted;
}
