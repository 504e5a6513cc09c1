import type { Command } from "commander";
import type { Runner } from "../command.ts";
import { VERSION } from "../version.ts";
import { registerBench } from "./bench.ts";
import { registerDemo } from "./demo.ts";
import { registerInspect } from "./inspect.ts";
import { registerKmsInit } from "./kms-init.ts";
import { registerKmsKeyprov } from "./kms-keyprov.ts";
import { registerOpen } from "./open.ts";
import { registerSeal } from "./seal.ts";

export function registerAll(program: Command, runner: Runner): void {
  program
    .description("Group media security of 3GPP TS 33.180: MIKEY-SAKKE on the command line.")
    .version(VERSION)
    .addHelpText("after", "\nExit status: 0 accepted, 1 refused, 2 wrong usage.");
  registerInspect(program, runner);
  const kms = program
    .command("kms")
    .summary("run a KMS from files")
    .description("Run a KMS from files: make it, issue keys to users.");
  registerKmsInit(kms, runner);
  registerKmsKeyprov(kms, runner);
  registerSeal(program, runner);
  registerOpen(program, runner);
  registerDemo(program, runner);
  registerBench(program, runner);
}
