/** `kms issue`: the keys of all users for a key period, in one go. */
import { join } from "node:path";
import type { Command } from "commander";
import { defined } from "../../base/defined.ts";
import { keyPeriodNo } from "../../bindings/identity/key-period.ts";
import type { KeySet } from "../../bindings/identity/kms-material.ts";
import { ntpFromUnixMs, ntpSeconds } from "../../bindings/identity/ntp.ts";
import { writeKmsResponse } from "../../documents/kms-xml/index.ts";
import { requestUrl } from "../files/kms-url.ts";
import { folderOf, folderOptions } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { fileNameOf, writeOutput } from "../terminal/files.ts";
import { requireDistinct, timeOption, uriListFile } from "../terminal/options.ts";
import { counted } from "../terminal/output.ts";
import type { Progress } from "../terminal/progress.ts";

interface Options {
  dataDir: string;
  config?: string;
  at: string;
  next?: boolean;
  users?: string;
  outDir?: string;
  force?: boolean;
}

export function registerKmsIssue(kms: Command, runner: Runner): void {
  runner.define<[], Options>(
    kms,
    "issue",
    {
      summary: "make the keys of all users for a key period",
      description:
        "Make the keys of all enrolled users for a key period before they are requested. " +
        "Keys are kept: after an interruption, the command resumes. With --out-dir, it also writes the documents, one " +
        "per user; the keys in them are in clear.",
      example: "mikey-sakke kms issue --next\nmikey-sakke kms issue --users members.txt --out-dir keys",
    },
    (command) =>
      folderOptions(command)
        .option("--at <time>", "a time in the key period", "now")
        .option("--next", "the key period after it")
        .option("--users <file>", "file with one URI per line, instead of all users; - is standard input")
        .option("--out-dir <dir>", "folder for a KmsResponse per user (mode 0600)")
        .option("--force", "replace files that exist"),
    issue,
  );
}

async function issue({ output, stdin }: Context, options: Options): Promise<ExitStatus> {
  const at = timeOption(options.at, "--at");
  const users = options.users === undefined ? undefined : await uriListFile(options.users, stdin, "--users");
  if (users !== undefined) requireDistinct(users, "--users");
  const { withAdmin } = await import("../kms/with-admin.ts");
  const { listenForStop } = await import("../server/stop.ts");
  const { outDir } = options;
  const onKeySet =
    outDir === undefined
      ? undefined
      : (keySet: KeySet) => writeKeySet(keySet, outDir, options.force === true);
  const stop = listenForStop();
  let progress: Progress | undefined;
  let seen = 0;
  const started = performance.now();
  try {
    const { periodNo, issued } = await withAdmin(folderOf(options), (admin, { config }) => {
      const rule = { period: config.userKeyPeriod, offset: config.userKeyOffset };
      const number = keyPeriodNo(ntpSeconds(ntpFromUnixMs(at)), rule) + (options.next === true ? 1 : 0);
      return admin.issue({
        periodNo: number,
        ...defined({ users, onKeySet }),
        signal: stop.signal,
        onProgress(done, total) {
          progress ??= output.progress("issuing", total);
          progress.update(done);
          seen = done;
        },
      });
    });
    progress?.end();
    progress = undefined;
    const seconds = (performance.now() - started) / 1000;
    output.result({ status: "ok", keyPeriod: periodNo, issued, seconds, outDir }, () => [
      `${counted(issued, "key set")} of key period ${periodNo}, in ${seconds.toFixed(1)} s`,
    ]);
    return EXIT.accepted;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    progress?.end();
    progress = undefined;
    output.result({ status: "interrupted", issued: seen }, () => [
      `broken off after ${seen}; the same command goes on with the rest`,
    ]);
    return EXIT.refused;
  } finally {
    progress?.end();
    stop.release();
  }
}

async function writeKeySet(keySet: KeySet, folder: string, force: boolean): Promise<void> {
  const { userUri, kmsUri } = keySet;
  const xml = writeKmsResponse({
    userUri,
    kmsUri,
    time: Date.now(),
    clientReqUrl: requestUrl(kmsUri, "keyprov"),
    message: { type: "keyprov", keySets: [keySet] },
  });
  await writeOutput(join(folder, `${fileNameOf(userUri)}.xml`), xml, { secret: true, force });
}
