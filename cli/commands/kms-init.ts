/** `kms init`: a new KMS, as a file of secrets and a certificate. */
import type { Command } from "commander";
import { toHex } from "../../base/bytes.ts";
import { systemRandom } from "../../base/random.ts";
import { load } from "../../bindings/core/core.ts";
import type { KmsCertificate } from "../../bindings/identity/kms-material.ts";
import { KmsMaster } from "../../bindings/kms.ts";
import { writeKmsResponse } from "../../documents/kms-xml/index.ts";
import { writeSecrets } from "../files/kms-secrets.ts";
import { requestUrl } from "../files/kms-url.ts";
import { type Context, collect, type Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { requireAbsent, writeOutput } from "../terminal/files.ts";
import { integerOption, uriOption } from "../terminal/options.ts";
import { usageError } from "../terminal/usage.ts";

interface Options {
  kmsUri: string;
  secrets: string;
  cert: string;
  period: string;
  offset: string;
  domain?: string[];
  force?: boolean;
}

/** 30 days, the period of the examples in TS 33.180 F.2.1. */
const DEFAULT_PERIOD = "2592000";

export function registerKmsInit(parent: Command, runner: Runner): void {
  runner.define<[], Options>(
    parent,
    "init",
    {
      summary: "make a KMS: master secrets and a certificate",
      description:
        "Make a KMS. Writes its master secrets (keep them safe: anyone who has them has every key) and its certificate " +
        "as a KmsResponse with KmsInit (TS 33.180 D.3.2).",
      example: "mikey-sakke kms init --kms-uri kms.example.org --secrets kms.secrets.json --cert kms.xml",
    },
    (command) =>
      command
        .requiredOption("--kms-uri <uri>", "KmsUri; it is hashed into every UID")
        .requiredOption("--secrets <file>", "where the master secrets go (mode 0600)")
        .requiredOption("--cert <file>", "where the certificate goes")
        .option("--period <seconds>", "UserKeyPeriod: life of the users' keys", DEFAULT_PERIOD)
        .option("--offset <seconds>", "UserKeyOffset: start of the first period after 1900-01-01", "0")
        .option("--domain <uri>", "domain that the KMS serves; may be repeated", collect)
        .option("--force", "replace files that exist"),
    kmsInit,
  );
}

async function kmsInit({ output }: Context, options: Options): Promise<ExitStatus> {
  const kmsUri = uriOption(options.kmsUri, "--kms-uri");
  const userKeyPeriod = integerOption(options.period, "--period", 1, 0xffffffff);
  const userKeyOffset = integerOption(options.offset, "--offset", 0, 0xffffffff);
  if (userKeyOffset >= userKeyPeriod) throw usageError("BAD_NUMBER", "--offset: must be less than --period");
  const force = options.force === true;
  await requireAbsent([options.secrets, options.cert], force);

  const core = await load();
  const master = KmsMaster.generate(core, systemRandom);
  const secrets = master.exportSecrets();
  try {
    const certificate: KmsCertificate = {
      role: "Root",
      kmsUri,
      userIdFormat: "2",
      userKeyPeriod,
      userKeyOffset,
      pubEncKey: master.zt,
      pubAuthKey: master.kpak,
      parameterSet: 1,
      ...(options.domain && { kmsDomains: options.domain.map((uri) => uriOption(uri, "--domain")) }),
    };
    const xml = writeKmsResponse({
      userUri: kmsUri,
      kmsUri,
      time: Date.now(),
      clientReqUrl: requestUrl(kmsUri, "init"),
      message: { type: "init", certificate },
    });
    await writeSecrets(options.secrets, secrets, { force });
    await writeOutput(options.cert, xml, { force });
    output.result(
      {
        status: "ok",
        kmsUri,
        secrets: options.secrets,
        cert: options.cert,
        userKeyPeriod,
        userKeyOffset,
        pubEncKey: toHex(certificate.pubEncKey),
        pubAuthKey: toHex(certificate.pubAuthKey),
      },
      () => [
        `KMS ${kmsUri}, key period ${userKeyPeriod} s, offset ${userKeyOffset} s`,
        `master secrets  ${options.secrets}`,
        `certificate     ${options.cert}`,
      ],
    );
    return EXIT.accepted;
  } finally {
    secrets.z.fill(0);
    secrets.ksak.fill(0);
    master.destroy();
    core.destroy();
  }
}
