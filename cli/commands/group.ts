/** `group`: the groups of a GMS that runs. */
import type { Command } from "commander";
import type { Runner } from "../terminal/command.ts";
import { registerGroupAudit } from "./group-audit.ts";
import { registerGroupChange } from "./group-change.ts";
import { registerGroupClock } from "./group-clock.ts";
import { registerGroupRekey } from "./group-rekey.ts";
import { registerGroupShow } from "./group-show.ts";

export function registerGroup(program: Command, runner: Runner): void {
  const group = program
    .command("group")
    .summary("manage groups and their keys")
    .description("Manage groups and their keys, through the GMS that runs on the data folder.");
  registerGroupChange(group, runner);
  registerGroupShow(group, runner);
  registerGroupRekey(group, runner);
  registerGroupAudit(group, runner);
  registerGroupClock(group, runner);
}
