import type { Command } from "commander";
import type { Runner } from "../terminal/command.ts";
import { VERSION } from "../terminal/version.ts";
import { registerBackup } from "./backup.ts";
import { registerBench } from "./bench.ts";
import { registerCheck } from "./check.ts";
import { registerClient } from "./client.ts";
import { registerCompletion } from "./completion.ts";
import { registerConfig } from "./config.ts";
import { registerConsole } from "./console.ts";
import { registerDemo } from "./demo.ts";
import { registerGroup } from "./group.ts";
import { registerHealth } from "./health.ts";
import { registerInspect } from "./inspect.ts";
import { registerKmsAudit } from "./kms-audit.ts";
import { registerKmsCertificate } from "./kms-certificate.ts";
import { registerKmsInit } from "./kms-init.ts";
import { registerKmsIssue } from "./kms-issue.ts";
import { registerKmsKeyprov } from "./kms-keyprov.ts";
import { registerKmsRefresh } from "./kms-refresh.ts";
import { registerKmsRotate } from "./kms-rotate.ts";
import { registerKmsToken } from "./kms-token.ts";
import { registerKmsTransportKey } from "./kms-transport-key.ts";
import { registerKmsUser } from "./kms-user.ts";
import { registerListen } from "./listen.ts";
import { registerLogin } from "./login.ts";
import { registerMcdata } from "./mcdata.ts";
import { registerOpen } from "./open.ts";
import { registerProvision } from "./provision.ts";
import { registerSeal } from "./seal.ts";
import { registerServeAll, registerServeGms } from "./serve-gms.ts";
import { registerServeKms } from "./serve-kms.ts";
import { registerTalk } from "./talk.ts";
import { registerUser } from "./user.ts";

export function registerAll(program: Command, runner: Runner): void {
  program
    .description("Group media security of 3GPP TS 33.180: MIKEY-SAKKE on the command line.")
    .version(VERSION)
    // Options after a command's name are its own: serve and serve kms both have --port.
    .enablePositionalOptions()
    .addHelpText(
      "after",
      "\nExit status: 0 accepted, 1 refused, 2 wrong usage; docs/exit-status.md has the others.",
    );
  registerInspect(program, runner);
  const kms = program
    .command("kms")
    .summary("operate a KMS")
    .description(
      "Operate the KMS of a data folder, whether serve kms runs on it or not; or, with init and keyprov, a KMS that is " +
        "just two files.",
    );
  registerKmsUser(kms, runner);
  registerKmsIssue(kms, runner);
  registerKmsTransportKey(kms, runner);
  registerKmsCertificate(kms, runner);
  registerKmsRefresh(kms, runner);
  registerKmsRotate(kms, runner);
  registerKmsAudit(kms, runner);
  registerKmsToken(kms, runner);
  registerKmsInit(kms, runner);
  registerKmsKeyprov(kms, runner);
  const serve = registerServeAll(program, runner);
  registerServeKms(serve, runner);
  registerServeGms(serve, runner);
  registerHealth(program, runner);
  registerConsole(program, runner);
  registerCheck(program, runner);
  registerConfig(program, runner);
  registerBackup(program, runner);
  registerGroup(program, runner);
  registerUser(program, runner);
  registerClient(program, runner);
  registerLogin(program, runner);
  registerTalk(program, runner);
  registerListen(program, runner);
  registerMcdata(program, runner);
  registerProvision(program, runner);
  registerSeal(program, runner);
  registerOpen(program, runner);
  registerDemo(program, runner);
  registerBench(program, runner);
  registerCompletion(program, runner);
}
