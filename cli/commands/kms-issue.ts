/** `kms issue`: the keys of all users for a key period, in one go. */
import { join } from "node:path";
import type { Command } from "commander";
import { keyPeriodNo } from "../../bindings/identity/key-period.ts";
import { ntpFromUnixMs, ntpSeconds } from "../../bindings/identity/ntp.ts";
import type { KeySet } from "../../bindings/kms-material.ts";
import { writeKmsResponse } from "../../transport/kms-xml/index.ts";
import type { Context, Runner } from "../command.ts";
import { fileNameOf, writeOutput } from "../files.ts";
import { folderOf, folderOptions } from "../kms/folder-options.ts";
import { requestUrl } from "../kms-url.ts";
import { requireDistinct, timeOption, uriListFile } from "../options.ts";
import { EXIT, type ExitStatus } from "../output.ts";
import type { Progress } from "../progress.ts";

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
        "Make the keys of all enrolled users for a key period, so that they are at hand when they are asked for. " +
        "What is made is kept: broken off, the command goes on where it was. With --out-dir also the documents, one " +
        "a user; the keys in them are in clear.",
      example: "mikey-sakke kms issue --next\nmikey-sakke kms issue --users members.txt --out-dir keys",
    },
    (command) =>
      folderOptions(command)
        .option("--at <time>", "a time in the key period", "now")
        .option("--next", "the key period after it")
        .option("--users <file>", "file with one URI a line, in place of all; - is standard input")
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
  const { listenForStop } = await import("../kms/stop.ts");
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
        ...(users && { users }),
        ...(onKeySet && { onKeySet }),
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
      `${issued} key set${issued === 1 ? "" : "s"} of key period ${periodNo}, in ${seconds.toFixed(1)} s`,
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
