/** `kms keyprov`: key sets of users for one or more key periods, as KmsResponse documents. */
import { join } from "node:path";
import type { Command } from "commander";
import { equal, wipe } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { load } from "../../bindings/core/core.ts";
import { keyPeriodEnd, keyPeriodNo, keyPeriodStart } from "../../bindings/identity/key-period.ts";
import type { KeySet, KmsCertificate } from "../../bindings/identity/kms-material.ts";
import { ntpFromUnixMs, ntpSeconds, ntpSecondsToUnixMs } from "../../bindings/identity/ntp.ts";
import { computeUid } from "../../bindings/identity/uid.ts";
import { KmsMaster } from "../../bindings/kms.ts";
import { writeKmsResponse } from "../../documents/kms-xml/index.ts";
import { readCertificate } from "../files/kms-files.ts";
import { readableByOthers, readSecrets } from "../files/kms-secrets.ts";
import { requestUrl } from "../files/kms-url.ts";
import { type Context, collect, type Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { fileNameOf, requireAbsent, writeOutput } from "../terminal/files.ts";
import {
  integerOption,
  requireDistinct,
  serviceIdOption,
  timeOption,
  uriListFile,
} from "../terminal/options.ts";
import { counted } from "../terminal/output.ts";
import { usageError } from "../terminal/usage.ts";

interface Options {
  secrets: string;
  cert: string;
  user?: string[];
  users?: string;
  at: string;
  periods: string;
  out?: string;
  outDir?: string;
  force?: boolean;
}

/** Users in one call into WebAssembly, few enough for the progress to move. */
const BATCH = 64;

export function registerKmsKeyprov(parent: Command, runner: Runner): void {
  runner.define<[], Options>(
    parent,
    "keyprov",
    {
      summary: "issue the keys of users",
      description:
        "Issue keys to users, for the key period of a time and the periods after it. Each file is the user's own " +
        "KmsResponse with KmsKeyProv (TS 33.180 D.3.3); the keys in it are in clear.",
      example:
        "mikey-sakke kms keyprov --secrets kms.secrets.json --cert kms.xml \\\n" +
        "  --user sip:gms@example.org --out gms.xml\n" +
        "mikey-sakke kms keyprov --secrets kms.secrets.json --cert kms.xml --users members.txt --out-dir keys",
    },
    (command) =>
      command
        .requiredOption("--secrets <file>", "the KMS's master secrets")
        .requiredOption("--cert <file>", "the KMS's certificate")
        .option("--user <uri>", "identity to issue to; may be repeated", collect)
        .option("--users <file>", "file with one URI a line; - is standard input")
        .option("--at <time>", "a time in the first key period", "now")
        .option("--periods <n>", "number of key periods", "1")
        .option("--out <file>", "the file for one user (mode 0600)")
        .option("--out-dir <dir>", "the folder for a file per user")
        .option("--force", "replace files that exist"),
    kmsKeyprov,
  );
}

async function kmsKeyprov({ output, stdin }: Context, options: Options): Promise<ExitStatus> {
  const named = (options.user ?? []).map((uri) => serviceIdOption(uri, "--user"));
  const inFile = options.users === undefined ? [] : await uriListFile(options.users, stdin, "--users");
  const users = [...named, ...inFile];
  if (users.length === 0) throw usageError("NO_USER", "give --user or --users");
  requireDistinct(users, "--users");
  const count = integerOption(options.periods, "--periods", 1, 120);
  const at = timeOption(options.at, "--at");
  const files = outputFiles(users, options);
  const force = options.force === true;
  await requireAbsent(files, force);

  const certificate = await readCertificate(options.cert, "--cert");
  const secrets = await readSecrets(options.secrets);
  if (await readableByOthers(options.secrets)) {
    output.note(`warning: ${options.secrets} can be read by other users; chmod 600 it`);
  }
  const rule = { period: certificate.userKeyPeriod, offset: certificate.userKeyOffset };
  const first = keyPeriodNo(ntpSeconds(ntpFromUnixMs(at)), rule);
  const periods = Array.from({ length: count }, (_, i) => first + i);

  const core = await load();
  const master = KmsMaster.load(core, secrets);
  wipe(secrets.z, secrets.ksak);
  const progress = output.progress("issuing", users.length);
  try {
    requireMatch(master, certificate, options);
    for (let start = 0; start < users.length; start += BATCH) {
      const batch = users.slice(start, start + BATCH);
      const keySets = issue(master, certificate, batch, periods);
      for (const [i, userUri] of batch.entries()) {
        const own = keySets.slice(i * count, (i + 1) * count);
        await writeOutput(files[start + i]!, keyProvXml(userUri, certificate, own), { secret: true, force });
        for (const keySet of own) wipe(keySet.rsk, keySet.ssk);
      }
      progress.update(start + batch.length);
    }
  } finally {
    progress.end();
    master.destroy();
    core.destroy();
  }
  const validFrom = ntpSecondsToUnixMs(keyPeriodStart(first, rule));
  const validTo = ntpSecondsToUnixMs(keyPeriodEnd(periods.at(-1)!, rule));
  const [from, to] = [validFrom, validTo].map((time) => new Date(time).toISOString());
  output.result(
    {
      status: "ok",
      kmsUri: certificate.kmsUri,
      keyPeriods: periods,
      validFrom: from,
      validTo: to,
      users: users.map((userUri, i) => ({ userUri, file: files[i] })),
    },
    () => [
      `${counted(users.length, "user")}, ${periods.length === 1 ? "key period" : "key periods"} ${periods.join(", ")} (${from} to ${to})`,
      ...users.slice(0, 10).map((userUri, i) => `${userUri}  ${files[i]}`),
      ...(users.length > 10 ? [`and ${users.length - 10} more in ${options.outDir}`] : []),
    ],
  );
  return EXIT.accepted;
}

function outputFiles(users: readonly string[], { out, outDir }: Options): string[] {
  if ((out === undefined) === (outDir === undefined)) {
    throw usageError("NO_OUTPUT", "give --out FILE for one user or --out-dir DIR for a file per user");
  }
  if (outDir !== undefined) return users.map((uri) => join(outDir, `${fileNameOf(uri)}.xml`));
  if (users.length > 1) throw usageError("NO_OUTPUT", "--out takes one user: give --out-dir for several");
  return [out!];
}

function requireMatch(master: KmsMaster, certificate: KmsCertificate, { secrets, cert }: Options): void {
  if (!equal(master.zt, certificate.pubEncKey) || !equal(master.kpak, certificate.pubAuthKey)) {
    throw usageError("SECRETS_MISMATCH", `${secrets} and ${cert} are of different KMSs`);
  }
}

/** User by user, and for each user period by period. */
function issue(
  master: KmsMaster,
  { kmsUri, certUri, userKeyPeriod: period, userKeyOffset: offset }: KmsCertificate,
  users: readonly string[],
  periods: readonly number[],
): KeySet[] {
  const wanted = users.flatMap((userUri) =>
    periods.map((number) => ({
      userUri,
      keyPeriodNo: number,
      uid: computeUid({ uri: userUri, kmsUri, period, offset, keyPeriodNo: number }),
    })),
  );
  const issued = master.issueBatch(wanted.map(({ uid }) => uid));
  return wanted.map((identity, i) => ({
    ...identity,
    kmsUri,
    ...defined({ certUri }),
    validFrom: ntpSecondsToUnixMs(keyPeriodStart(identity.keyPeriodNo, { period, offset })),
    validTo: ntpSecondsToUnixMs(keyPeriodEnd(identity.keyPeriodNo, { period, offset })),
    ...issued[i]!,
  }));
}

function keyProvXml(userUri: string, { kmsUri }: KmsCertificate, keySets: readonly KeySet[]): string {
  return writeKmsResponse({
    userUri,
    kmsUri,
    time: Date.now(),
    clientReqUrl: requestUrl(kmsUri, "keyprov"),
    message: { type: "keyprov", keySets },
  });
}
