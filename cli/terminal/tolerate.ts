/** `--tolerate`: departures from the standard that a command takes. */
import type { Command } from "commander";
import type { Tolerance } from "../../bindings/index.ts";
import { TOLERANCES, toleranceOf } from "../../bindings/mikey/tolerance.ts";
import { collect } from "./command.ts";
import { usageError } from "./usage.ts";

export interface TolerateArgs {
  tolerate?: string[];
}

export function tolerateOption(command: Command): Command {
  const list = [...TOLERANCES].map(([name, { risk }]) => `  ${name}: ${risk}`);
  return command
    .option(
      "--tolerate <name>",
      "departure from the standard to take, by its name in --help; may be repeated",
      collect,
    )
    .addHelpText(
      "after",
      `\nDepartures from TS 33.180 that --tolerate takes, and what each risks:\n${list.join("\n")}`,
    );
}

/** Usage error BAD_TOLERANCE. */
export function toleranceOption({ tolerate = [] }: TolerateArgs): Tolerance {
  const tolerance = toleranceOf(tolerate);
  if (tolerance !== undefined) return tolerance;
  const known = [...TOLERANCES.keys()];
  const unknown = tolerate.filter((name) => !known.includes(name));
  throw usageError("BAD_TOLERANCE", `--tolerate ${unknown.join(", ")}: must be one of ${known.join(", ")}`);
}
