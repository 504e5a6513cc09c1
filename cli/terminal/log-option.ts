/** The option of the commands that run servers. */
import { Option } from "commander";
import { LOG_LEVELS } from "../../base/log-levels.ts";

export function logLevelOption(): Option {
  return new Option("--log-level <level>", "what is logged, in place of the configuration's").choices(
    LOG_LEVELS,
  );
}
