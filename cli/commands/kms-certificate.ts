/** `kms certificate`: the KMSs whose users may be communicated with, or that may key this one's users (5.3.1). */
import { type Command, Option } from "commander";
import { defined } from "../../base/defined.ts";
import type { KmsCertificate } from "../../bindings/identity/kms-material.ts";
import { writeKmsResponse } from "../../documents/kms-xml/index.ts";
import { readOwnCertificates } from "../files/kms-files.ts";
import { requestUrl } from "../files/kms-url.ts";
import { folderOf, folderOptions } from "../server/folder-options.ts";
import { type Context, collect, type Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { requireAbsent, writeOutput } from "../terminal/files.ts";
import { uriOption } from "../terminal/options.ts";
import { counted, table } from "../terminal/output.ts";
import { usageError } from "../terminal/usage.ts";

interface FolderArgs {
  dataDir: string;
  config?: string;
}

type Kind = "external" | "migration";

export function registerKmsCertificate(kms: Command, runner: Runner): void {
  const group = kms
    .command("certificate")
    .summary("certificates of this KMS and of others")
    .description("Certificates of this KMS and of those that its users may deal with.");
  runner.define<[string], FolderArgs & { kind: Kind }>(
    group,
    "add",
    {
      summary: "permit another KMS",
      description:
        "Permit another KMS: its certificate goes into the certificate cache of this one's clients. Get the file from " +
        "its operator over a channel that nobody can tamper with, because it is trusted. Its users can sign messages to ours only as " +
        "identities of the domains given here, or else of those that the certificate lists.",
      example: "mikey-sakke kms certificate add away.xml --kind external --domain away.example",
    },
    (command) =>
      folderOptions(command.argument("<file>", "its certificate, as certificate export writes it"))
        .addOption(
          new Option("--kind <kind>", "users are communicated with, or keyed by it as well")
            .choices(["external", "migration"])
            .default("external"),
        )
        .option(
          "--domain <domain>",
          "domain or URI that it may vouch for, instead of its own list; may be repeated",
          collect,
        ),
    add,
  );
  runner.define<[string], FolderArgs>(
    group,
    "remove",
    {
      summary: "permit another KMS no more",
      example: "mikey-sakke kms certificate remove kms.away.example",
    },
    (command) => folderOptions(command.argument("<kms-uri>", "its KmsUri")),
    remove,
  );
  runner.define<[string], FolderArgs>(
    group,
    "revoke",
    {
      summary: "revoke a certificate, of this KMS or of another",
      example: "mikey-sakke kms certificate revoke 'kms.example.org#94afea31b5d7c206'",
    },
    (command) => folderOptions(command.argument("<cert-uri>", "its CertUri, as of certificate list")),
    revoke,
  );
  runner.define<[], FolderArgs>(
    group,
    "list",
    { summary: "list the certificates", example: "mikey-sakke kms certificate list" },
    folderOptions,
    list,
  );
  runner.define<[], FolderArgs & { out: string; force?: boolean }>(
    group,
    "export",
    {
      summary: "write this KMS's certificates to a file",
      description: "Write this KMS's certificates to a file, for the operators of other KMSs.",
      example: "mikey-sakke kms certificate export --out home.xml",
    },
    (command) =>
      folderOptions(command)
        .requiredOption("--out <file>", "where they go")
        .option("--force", "replace a file that exists"),
    exportOwn,
  );
}

async function add(
  { output }: Context,
  options: FolderArgs & { kind: Kind; domain?: string[] },
  file: string,
): Promise<ExitStatus> {
  const { own } = await readOwnCertificates(file, "FILE");
  const given = options.domain?.map((domain) => uriOption(domain, "--domain"));
  const domainsOf = ({ kmsDomains = [] }: KmsCertificate) => given ?? kmsDomains;
  const unlimited = own.find((certificate) => domainsOf(certificate).length === 0);
  if (unlimited !== undefined) {
    const text = `the certificate of ${unlimited.kmsUri} lists no domains: say with --domain whom it may vouch for`;
    throw usageError("NO_DOMAINS", text);
  }
  const { withAdmin } = await import("../kms/with-admin.ts");
  await withAdmin(folderOf(options), async (admin) => {
    for (const certificate of own)
      await admin.putCertificate(
        { ...certificate, role: "External", kmsDomains: domainsOf(certificate) },
        options.kind,
      );
  });
  const kmsUri = own[0]!.kmsUri;
  const domains = [...new Set(own.flatMap(domainsOf))];
  output.result({ status: "ok", kmsUri, kind: options.kind, certificates: own.length, domains }, () => [
    `${kmsUri} is permitted as ${options.kind} KMS for ${domains.join(", ")}`,
  ]);
  return EXIT.accepted;
}

async function remove({ output }: Context, options: FolderArgs, kmsUri: string): Promise<ExitStatus> {
  const { withAdmin } = await import("../kms/with-admin.ts");
  await withAdmin(folderOf(options), (admin) => admin.removeCertificate(kmsUri));
  output.result({ status: "ok", kmsUri }, () => [`${kmsUri} is not permitted any more`]);
  return EXIT.accepted;
}

async function revoke({ output }: Context, options: FolderArgs, certUri: string): Promise<ExitStatus> {
  const { withAdmin } = await import("../kms/with-admin.ts");
  await withAdmin(folderOf(options), (admin) => admin.revokeCertificate(certUri));
  output.result({ status: "ok", certUri, revoked: true }, () => [`${certUri} is revoked`]);
  return EXIT.accepted;
}

async function list({ output }: Context, options: FolderArgs): Promise<ExitStatus> {
  const { withAdmin } = await import("../kms/with-admin.ts");
  const { cacheNum, own, others } = await withAdmin(folderOf(options), (admin) => admin.certificates());
  const rows = [
    ...own.map((certificate) => rowOf(certificate, "own")),
    ...others.map(({ certificate, kind }) => rowOf(certificate, kind)),
  ];
  output.result({ status: "ok", cacheNum, certificates: rows }, () =>
    table([
      ["KMS", "kind", "from", "to", "", "domains", "CertUri"],
      ...rows.map(({ kmsUri, kind, validFrom, validTo, revoked, domains = [], certUri }) => [
        kmsUri,
        kind,
        validFrom ?? "",
        validTo ?? "",
        revoked ? "revoked" : "",
        domains.join(" "),
        certUri ?? "",
      ]),
    ]),
  );
  return EXIT.accepted;
}

function rowOf({ kmsUri, certUri, validFrom, validTo, revoked, kmsDomains }: KmsCertificate, kind: string) {
  const time = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());
  return {
    kmsUri,
    kind,
    certUri,
    validFrom: time(validFrom),
    validTo: time(validTo),
    revoked: revoked === true,
    ...defined({ domains: kmsDomains }),
  };
}

async function exportOwn(
  { output }: Context,
  options: FolderArgs & { out: string; force?: boolean },
): Promise<ExitStatus> {
  const force = options.force === true;
  await requireAbsent([options.out], force);
  const { withAdmin } = await import("../kms/with-admin.ts");
  const { own, cacheNum } = await withAdmin(folderOf(options), (admin) => admin.certificates());
  const kmsUri = own[0]!.kmsUri;
  const xml = writeKmsResponse({
    userUri: kmsUri,
    kmsUri,
    time: Date.now(),
    clientReqUrl: requestUrl(kmsUri, "certcache"),
    message: { type: "certcache", certificates: own, cacheNum },
  });
  await writeOutput(options.out, xml, { force });
  output.result({ status: "ok", kmsUri, certificates: own.length, out: options.out }, () => [
    `${counted(own.length, "certificate")} of ${kmsUri}  ${options.out}`,
  ]);
  return EXIT.accepted;
}
